# tags: trap
# The C compiler, make, and what they build: dynamic, static, threaded.

#== compiles and runs a program
cat > hello.c << 'END'
#include <stdio.h>
#include <math.h>
int main(int argc, char **argv)
{
    printf("%d %s %.6f\n", argc, argv[1], sqrt(2));
    return 3;
}
END
gcc -O2 -Wall -o hello hello.c -lm
./hello one; echo "status $?"
gcc -O2 -static -o hello hello.c -lm
./hello two; echo "status $?"
gcc -no-pie -O0 -g -o hello hello.c -lm
./hello three; echo "status $?"

#== says what is wrong (exit 1)
printf 'int main(void)\n{\n    return x;\n}\n' > bad.c
gcc bad.c

#== builds what make says, twice
cat > Makefile << 'END'
all: prog
prog: a.o b.o
	gcc -o $@ $^
%.o: %.c
	gcc -c -o $@ $<
END
printf 'int b(void);\nint main(void) { return b(); }\n' > a.c
printf 'int b(void) { return 42; }\n' > b.c
make -j2 2>&1 | sort; ./prog; echo "status $?"
make
touch -d '+1 hour' b.c
make 2>/dev/null

#== loads a library at run time
printf 'int answer(void) { return 42; }\n' > lib.c
gcc -shared -fPIC -o libanswer.so lib.c
cat > use.c << 'END'
#include <dlfcn.h>
#include <stdio.h>
int main(void)
{
    void *lib = dlopen("./libanswer.so", RTLD_NOW);
    int (*answer)(void) = (int (*)(void))dlsym(lib, "answer");
    printf("%d\n", answer());
    return dlclose(lib);
}
END
gcc -o use use.c && ./use

#== runs threads with thread-local storage and C++ exceptions across them
cat > t.cc << 'END'
#include <cstdio>
#include <stdexcept>
#include <thread>
#include <vector>
#include <atomic>
thread_local int mine;
std::atomic<int> caught;
static void work(int n)
{
    for (mine = 0; mine < 1000; mine++) {
        try {
            if (mine % 10 == n % 10)
                throw std::runtime_error("x");
        } catch (const std::exception &) {
            caught++;
        }
    }
}
int main()
{
    std::vector<std::thread> all;
    for (int i = 0; i < 8; i++)
        all.emplace_back(work, i);
    for (auto &t : all)
        t.join();
    printf("%d\n", caught.load());
}
END
g++ -O1 -o t t.cc -pthread && ./t

#== dies of what it does wrong
cat > die.c << 'END'
#include <stdlib.h>
#include <unistd.h>
int main(int argc, char **argv)
{
    switch (argv[1][0]) {
    case 'n': return *(volatile int *)0;
    case 'd': return 1 / (argc - 2);
    case 'a': abort();
    case 'i': __asm__("ud2");
    }
}
END
gcc -w -o die die.c
for how in null division abort illegal; do (./die $how) 2>/dev/null; echo "$how $?"; done 2>/dev/null

#== finds its own bugs with the sanitizers
cat > bug.c << 'END'
#include <stdlib.h>
int main(void)
{
    char *p = malloc(10);
    p[10] = 1;
    return 0;
}
END
gcc -g -fsanitize=address -o bug bug.c
./bug 2>&1 | grep -o 'heap-buffer-overflow' | head -1
printf 'volatile int x = 0x7fffffff;\nint main(void)\n{\n    x = x + 1;\n    return 0;\n}\n' > ub.c
gcc -fsanitize=undefined -o ub ub.c && ./ub 2>&1 | grep -o 'signed integer overflow'
