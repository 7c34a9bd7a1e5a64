// work.go: goroutines, channels, timers, garbage, signals, files, other programs, and the web on loopback.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

func goroutines() {
	var total atomic.Int64
	var wg sync.WaitGroup
	work := make(chan int)
	for i := 0; i < 100; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range work {
				total.Add(int64(n))
			}
		}()
	}
	for i := 1; i <= 10000; i++ {
		work <- i
	}
	close(work)
	wg.Wait()
	fmt.Println("sum", total.Load())
}

func garbage() {
	kept := map[int][]byte{}
	for i := 0; i < 20000; i++ {
		kept[i%100] = bytes.Repeat([]byte{byte(i)}, 4096)
	}
	runtime.GC()
	fmt.Println("kept", len(kept), kept[99][0])
}

func timers() {
	start := time.Now()
	ticker := time.NewTicker(2 * time.Millisecond)
	for i := 0; i < 5; i++ {
		<-ticker.C
	}
	ticker.Stop()
	select {
	case <-time.After(time.Millisecond):
		fmt.Println("waited", time.Since(start) >= 11*time.Millisecond)
	case <-make(chan bool):
	}
}

func programs() {
	out, err := exec.Command("tr", "a-z", "A-Z").CombinedOutput()
	fmt.Println(len(out), err)
	cmd := exec.Command("sh", "-c", "cat; exit 3")
	cmd.Stdin = strings.NewReader("through a pipe\n")
	out, err = cmd.Output()
	fmt.Print(string(out), err, "\n")
	_, err = exec.LookPath("nosuchprogram")
	fmt.Println(err)
	var wg sync.WaitGroup
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if err := exec.Command("true").Run(); err != nil {
				fmt.Println(err)
			}
		}()
	}
	wg.Wait()
}

func signals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	fmt.Println(<-c)
	defer func() { fmt.Println("recovered:", recover()) }()
	var p *int
	*p = 1
}

func files() {
	os.MkdirAll("a/b", 0755)
	os.WriteFile("a/b/c", []byte("text"), 0644)
	os.Rename("a/b/c", "a/d")
	entries, _ := os.ReadDir("a")
	names := []string{}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	sort.Strings(names)
	text, err := os.ReadFile("a/d")
	fmt.Println(names, string(text), err)
	_, err = os.Open("a/missing")
	fmt.Println(err)
}

func web() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Method, r.URL.Path)
	}))
	var wg sync.WaitGroup
	for i := 0; i < 20; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			response, err := http.Get(fmt.Sprintf("http://%s/%d", listener.Addr(), i))
			if err != nil {
				fmt.Println(err)
				return
			}
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if want := fmt.Sprintf("GET /%d", i); string(body) != want {
				fmt.Println(string(body), "is not", want)
			}
		}(i)
	}
	wg.Wait()
	fmt.Println("served")
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "panic" {
		var m map[string]int
		m["x"] = 1
	}
	if len(os.Args) > 1 && os.Args[1] == "http" {
		web()
		return
	}
	goroutines()
	garbage()
	timers()
	programs()
	signals()
	files()
}
