/* target/linux/launch/image.c: maps the kernel and its memory; see image.h and include/myst/boot.h. */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define HUGE_PAGE       0x200000UL
#define HOT_HEAP        (2 * HUGE_PAGE) /* kernel objects that every process touches at once */
#define ROUND_UP(n, to) (((n) + (to)-1) & ~((uint64_t)(to)-1))

extern const char kernel_image_start[], kernel_image_end[];

/* --- where this program's file holds the kernel's ------------------------------------------------ */

struct file_search {
    uintptr_t address;
    off_t offset;
};

static int find_offset(struct dl_phdr_info *info, size_t size, void *data)
{
    struct file_search *search = data;

    (void)size;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + ph->p_vaddr;

        if (ph->p_type == PT_LOAD && search->address >= start &&
            search->address < start + ph->p_filesz) {
            search->offset = (off_t)(search->address - start + ph->p_offset);
            return 1;
        }
    }
    return 0;
}

static void *map_at(uint64_t address, size_t len, int prot, int flags, int file, off_t offset)
{
    void *got = mmap((void *)address, len, prot, flags | MAP_FIXED_NOREPLACE, file, offset);

    if (got == MAP_FAILED)
        launch_complain("cannot map %zu bytes for the kernel: %s", len, strerror(errno));
    return got;
}

static int map_text(int self, off_t image_offset, const Elf64_Phdr *ph)
{
    int prot = PROT_READ | (ph->p_flags & PF_X ? PROT_EXEC : 0);

    return map_at(ph->p_vaddr, ROUND_UP(ph->p_filesz, 4096), prot, MAP_PRIVATE, self,
                  image_offset + (off_t)ph->p_offset) == MAP_FAILED
               ? -1
               : 0;
}

static int map_data(int window, const Elf64_Phdr *ph)
{
    size_t size = ROUND_UP(ph->p_memsz, HUGE_PAGE);

    if (map_at(ph->p_vaddr, size, PROT_READ | PROT_WRITE, MAP_SHARED, window, 0) == MAP_FAILED)
        return -1;
    memcpy((void *)ph->p_vaddr, kernel_image_start + ph->p_offset, ph->p_filesz);
    return 0;
}

static int map_kernel(int self, int window, uint64_t *entry, uint64_t *data_size)
{
    const Elf64_Ehdr *eh = (const void *)kernel_image_start;
    const Elf64_Phdr *ph = (const void *)(kernel_image_start + eh->e_phoff);
    struct file_search search = {(uintptr_t)kernel_image_start, 0};
    size_t image_size = (size_t)(kernel_image_end - kernel_image_start);

    if (!dl_iterate_phdr(find_offset, &search)) {
        launch_complain("this program does not find its own kernel");
        return -1;
    }
    for (int i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (ph[i].p_vaddr == MYST_DATA_BASE) {
            *data_size = ROUND_UP(ph[i].p_memsz, HUGE_PAGE);
            if (map_data(window, &ph[i]))
                return -1;
        } else if (map_text(self, search.offset, &ph[i])) {
            return -1;
        }
    }
    *entry = eh->e_entry;
    /* the whole file once more, for symbols */
    return map_at(IMAGE_BASE, ROUND_UP(image_size, 4096), PROT_READ, MAP_PRIVATE, self,
                  search.offset) == MAP_FAILED
               ? -1
               : 0;
}

/*
 * Huge pages for what is written in every process. A few pages are touched first, a hole does not collapse. In one call: each
 * waits for all processors of the host. Best effort: without huge pages everything works, slower.
 */
static void collapse(uint64_t offset, uint64_t size)
{
    volatile char *memory = (char *)MYST_WINDOW_BASE + offset;

    for (uint64_t at = 0; at < size; at += HUGE_PAGE)
        for (uint64_t page = 0; page < 8; page++)
            memory[at + page * 4096] = memory[at + page * 4096];
    madvise((void *)memory, size, MADV_COLLAPSE);
}

static int window_create(void)
{
    int window = memfd_create("myst", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (window < 0 && errno == EINVAL)
        window = memfd_create("myst", MFD_CLOEXEC);
    if (window < 0)
        launch_complain("the host gives no memory file: %s", strerror(errno));
    else if (ftruncate(window, (off_t)MYST_WINDOW_SIZE) < 0) {
        launch_complain("the host limits the size of files (ulimit -f): %s", strerror(errno));
        close(window);
        return -1;
    }
    return window;
}

struct target_shared *image_map(int *window_file, uint64_t *entry)
{
    struct target_shared *shared = (void *)MYST_DATA_BASE;
    int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int window = window_create();
    uint64_t data_size = 0;
    bool mapped;

    if (self < 0)
        launch_complain("cannot open its own file by /proc/self/exe: %s", strerror(errno));
    mapped = self >= 0 && window >= 0 &&
             map_at(MYST_WINDOW_BASE, MYST_WINDOW_SIZE, PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_NORESERVE, window, 0) != MAP_FAILED &&
             map_kernel(self, window, entry, &data_size) == 0;
    if (self >= 0)
        close(self);
    if (!mapped)
        return NULL;
    if (shared->magic != SHARED_MAGIC) {
        launch_complain("its kernel image is damaged");
        return NULL;
    }
    collapse(0, HUGE_PAGE);                    /* kernel.ld puts what is seldom touched last */
    collapse(data_size + HUGE_PAGE, HOT_HEAP); /* behind what boot.c puts there */
    shared->boot.data_pages = data_size;
    shared->symbols_size = (uint64_t)(kernel_image_end - kernel_image_start);
    *window_file = shared->window_file = window;
    return shared;
}

/* --- the host's vDSO ------------------------------------------------------------------------------- */

static uint64_t vdso_symbol(const char *base, const char *name)
{
    const Elf64_Ehdr *eh = (const void *)base;
    const Elf64_Phdr *ph = (const void *)(base + eh->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    const Elf64_Sym *symbols = NULL;
    const char *strings = NULL;
    const uint32_t *hash = NULL, *gnu = NULL;
    size_t count = 0;

    for (int i = 0; i < eh->e_phnum; i++)
        if (ph[i].p_type == PT_DYNAMIC)
            dynamic = (const void *)(base + ph[i].p_offset);
    for (; dynamic && dynamic->d_tag != DT_NULL; dynamic++) {
        const void *at = base + dynamic->d_un.d_ptr;
        if (dynamic->d_tag == DT_SYMTAB)
            symbols = at;
        else if (dynamic->d_tag == DT_STRTAB)
            strings = at;
        else if (dynamic->d_tag == DT_HASH)
            hash = at;
        else if (dynamic->d_tag == DT_GNU_HASH)
            gnu = at;
    }
    if (!symbols || !strings)
        return 0;
    if (hash) {
        count = hash[1];
    } else if (gnu) { /* the last chain ends with a word whose low bit is set */
        const uint32_t *buckets = gnu + 4 + gnu[2] * 2, *chains = buckets + gnu[0];
        for (uint32_t i = 0; i < gnu[0]; i++)
            for (uint32_t s = buckets[i]; s >= gnu[1]; s++) {
                count = s + 1 > count ? s + 1 : count;
                if (chains[s - gnu[1]] & 1)
                    break;
            }
    }
    for (size_t i = 0; i < count; i++)
        if (!strcmp(strings + symbols[i].st_name, name))
            return symbols[i].st_value;
    return 0;
}

void image_find_vdso(struct target_shared *shared)
{
    char line[512], name[64];
    unsigned long start, end, vdso = getauxval(AT_SYSINFO_EHDR), low = 0;
    FILE *maps = fopen("/proc/self/maps", "re");
    size_t n = 0;

    if (!maps || !vdso) {
        if (maps)
            fclose(maps);
        return; /* clocks are then read by calls */
    }
    while (fgets(line, sizeof(line), maps) && n < 7) {
        name[0] = 0;
        if (sscanf(line, "%lx-%lx %*s %*s %*s %*s %63s", &start, &end, name) < 2 ||
            (strncmp(name, "[vvar", 5) && strcmp(name, "[vdso]")))
            continue;
        if (!low)
            low = start;
        shared->vdso_ranges[n][0] = start;
        shared->vdso_ranges[n][1] = end - start;
        shared->vdso_ranges[n][2] = MYST_HOST_BASE + (start - low);
        n++;
        if (start == vdso) {
            shared->host_vdso = MYST_HOST_BASE + (start - low);
            shared->host_vdso_end = shared->host_vdso + (end - start);
        }
    }
    fclose(maps);
    uint64_t function = shared->host_vdso ? vdso_symbol((char *)vdso, "__vdso_clock_gettime") : 0;
    shared->host_clock_gettime = function ? shared->host_vdso + function : 0;
}
