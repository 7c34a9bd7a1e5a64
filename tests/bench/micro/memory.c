/* tests/bench/micro/memory.c: mappings and page faults. */
#include "micro.h"

#include <sys/mman.h>

#define PAGE 4096

static char *map(size_t size)
{
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must((long)memory, "mmap");
    return memory;
}

static void page_fault(long n, long size)
{
    size_t length = (size_t)n * PAGE;
    char *memory = map(length);

    timing_starts();
    for (size_t at = 0; at < length; at += PAGE)
        memory[at] = 1;
    timing_ends();
    munmap(memory, length);
}

static void map_touch_unmap(long n, long size)
{
    timing_starts();
    while (n--) {
        char *memory = map((size_t)size);

        for (long at = 0; at < size; at += PAGE)
            memory[at] = 1;
        munmap(memory, (size_t)size);
    }
    timing_ends();
}

const struct bench bench_memory[] = {
    {"mmap_munmap_64k", map_touch_unmap, 65536, 0},
    {"page_fault", page_fault, 0, 16384},
    {0},
};
