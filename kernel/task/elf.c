/* kernel/task/elf.c: programs of the ELF format: elf(5), and the x86-64 psABI's program loading. */
#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/uaccess.h"
#include "task/exec.h"
#include "vfs/mmap.h"

#include <linux/elf-em.h>
#include <linux/limits.h>
#include <linux/mman.h>
#include <myst/boot.h>

#define HEADERS_MAX   65536       /* bytes of program headers */
#define SEGMENT_ALIGN (1UL << 30) /* alignments beyond are not honoured */

#define for_each_segment(p, elf)                                                                   \
    for (const Elf64_Phdr *p = (elf)->segments; p < (elf)->segments + (elf)->header.e_phnum; p++)

static u64 page_down(u64 addr)
{
    return ALIGN_DOWN(addr, PAGE_SIZE);
}

static u64 page_up(u64 addr)
{
    return ALIGN_UP(addr, PAGE_SIZE);
}

/* --- what is in the file ------------------------------------------------------------------------- */

static bool header_is_ours(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
           (header->e_type == ET_EXEC || header->e_type == ET_DYN) &&
           header->e_machine == EM_X86_64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           header->e_phnum > 0 && header->e_phnum * sizeof(Elf64_Phdr) <= HEADERS_MAX;
}

/* Its place in a page must be that in the file, and its size what memory can hold. */
static bool segment_is_sound(const Elf64_Phdr *p)
{
    u64 end, file_end;

    return p->p_filesz <= p->p_memsz && !add_overflow(p->p_vaddr, p->p_memsz, &end) &&
           end <= MYST_USER_END && !add_overflow(p->p_offset, p->p_filesz, &file_end) &&
           file_end <= INT64_MAX &&
           (p->p_filesz == 0 || (p->p_vaddr & ~PAGE_MASK) == (p->p_offset & ~PAGE_MASK));
}

/* Segments stand in the order of their addresses, and share no byte. */
static int check_segments(struct elf_file *elf)
{
    bool any = false;
    u64 end = 0;

    for_each_segment(p, elf) {
        if (p->p_type != PT_LOAD)
            continue;
        if (!segment_is_sound(p) || (any && p->p_vaddr < end))
            return -ENOEXEC;
        if (!any)
            elf->low = page_down(p->p_vaddr);
        any = true;
        end = p->p_vaddr + p->p_memsz;
    }
    elf->high = page_up(end);
    return any && elf->high > elf->low ? 0 : -ENOEXEC;
}

int elf_open(struct elf_file *elf, struct file *file, const u8 *head)
{
    size_t size;
    ssize_t n;

    elf->file = file;
    memcpy(&elf->header, head, sizeof elf->header);
    if (!header_is_ours(&elf->header) || elf->header.e_phoff > INT64_MAX - HEADERS_MAX)
        return -ENOEXEC;
    size = elf->header.e_phnum * sizeof(Elf64_Phdr);
    elf->segments = kmalloc(size);
    if (!elf->segments)
        return -ENOMEM;
    n = file_read_kernel(file, elf->segments, size, (loff_t)elf->header.e_phoff);
    if (n < 0)
        return n == -EIO ? -ENOEXEC : (int)n;
    return check_segments(elf);
}

void elf_close(struct elf_file *elf)
{
    kfree(elf->segments);
    elf->segments = NULL;
    if (elf->file)
        file_put(elf->file);
    elf->file = NULL;
}

char *elf_interpreter(const struct elf_file *elf)
{
    for_each_segment(p, elf) {
        char *path;
        ssize_t n;

        if (p->p_type != PT_INTERP)
            continue;
        if (p->p_filesz < 2 || p->p_filesz > PATH_MAX || p->p_offset > INT64_MAX - PATH_MAX)
            return ERR_PTR(-ENOEXEC);
        path = kmalloc(p->p_filesz);
        if (!path)
            return ERR_PTR(-ENOMEM);
        n = file_read_kernel(elf->file, path, p->p_filesz, (loff_t)p->p_offset);
        if (n < 0 || path[p->p_filesz - 1] != '\0') {
            kfree(path);
            return ERR_PTR(n < 0 ? n : -ENOEXEC);
        }
        return path;
    }
    return NULL;
}

bool elf_wants_executable_stack(const struct elf_file *elf)
{
    for_each_segment(p, elf) {
        if (p->p_type == PT_GNU_STACK)
            return p->p_flags & PF_X;
    }
    return false;
}

u64 elf_phdr_address(const struct elf_file *elf)
{
    u64 offset = elf->header.e_phoff;

    for_each_segment(p, elf) {
        if (p->p_type == PT_LOAD && p->p_offset <= offset && offset < p->p_offset + p->p_filesz)
            return p->p_vaddr + (offset - p->p_offset) + elf->bias;
    }
    return 0;
}

/* --- into memory ------------------------------------------------------------------------------------ */

static u32 segment_prot(const Elf64_Phdr *p)
{
    return (p->p_flags & PF_R ? PROT_READ : 0) | (p->p_flags & PF_W ? PROT_WRITE : 0) |
           (p->p_flags & PF_X ? PROT_EXEC : 0);
}

static u64 largest_alignment(const struct elf_file *elf)
{
    u64 align = PAGE_SIZE;

    for_each_segment(p, elf) {
        if (p->p_type == PT_LOAD && IS_POW2(p->p_align) && p->p_align <= SEGMENT_ALIGN)
            align = MAX(align, (u64)p->p_align);
    }
    return align;
}

/*
 * A program with an interpreter goes where programs do, an interpreter or a program that loads
 * itself where mappings go.
 */
static int choose_bias(struct elf_file *elf, bool as_program)
{
    u64 align = largest_alignment(elf), size = elf->high - elf->low;
    s64 base;

    elf->bias = 0;
    if (elf->header.e_type == ET_EXEC)
        return 0;
    if (as_program) {
        elf->bias = ALIGN_DOWN(mm_pie_base(), align) - ALIGN_DOWN(elf->low, align);
        return 0;
    }
    base = mm_find_free(size + align - PAGE_SIZE);
    if (base < 0)
        return (int)base;
    elf->bias = ALIGN_UP((u64)base, align) - ALIGN_DOWN(elf->low, align);
    return 0;
}

/* The rest of the last page of the file's part does not belong to the segment. */
static int clear_tail(u64 from, u64 to, u32 prot)
{
    if (from == to || !(prot & PROT_WRITE))
        return 0;
    return clear_user((void __user *)from, to - from);
}

static int load_segment(const struct elf_file *elf, const Elf64_Phdr *p)
{
    u64 start = p->p_vaddr + elf->bias, file_end = start + p->p_filesz;
    u64 end = start + p->p_memsz, at = page_down(start);
    u32 prot = segment_prot(p);
    s64 mapped;

    if (p->p_memsz == 0)
        return 0;
    if (p->p_filesz > 0) {
        mapped = mmap_file(elf->file, at, page_up(file_end) - at, prot,
                           MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE, page_down(p->p_offset));
        if (mapped < 0)
            return (int)mapped;
        at = page_up(file_end);
        if (p->p_memsz > p->p_filesz && clear_tail(file_end, MIN(at, page_up(end)), prot) < 0)
            return -EFAULT;
    }
    if (page_up(end) <= at)
        return 0;
    mapped = mm_map_anon_fixed(at, page_up(end) - at, prot);
    return mapped < 0 ? (int)mapped : 0;
}

/* For /proc/PID/stat and the break: where code and data begin and end. */
static void note_layout(const struct elf_file *elf)
{
    struct mm *mm = self()->mm;

    mm->start_code = UINT64_MAX;
    mm->end_code = mm->start_data = mm->end_data = 0;
    for_each_segment(p, elf) {
        u64 start = p->p_vaddr + elf->bias;

        if (p->p_type != PT_LOAD)
            continue;
        mm->start_code = MIN(mm->start_code, start);
        mm->start_data = MAX(mm->start_data, start);
        if (p->p_flags & PF_X)
            mm->end_code = MAX(mm->end_code, start + p->p_filesz);
        mm->end_data = MAX(mm->end_data, start + p->p_filesz);
    }
    mm_set_brk(elf->high + elf->bias);
}

int elf_load(struct elf_file *elf, bool interpreter, bool has_interpreter)
{
    int err = choose_bias(elf, !interpreter && has_interpreter);

    for_each_segment(p, elf) {
        if (!err && p->p_type == PT_LOAD)
            err = load_segment(elf, p);
    }
    if (!err && !interpreter)
        note_layout(elf);
    return err;
}
