/*
 * kernel/vfs/maps.c: the text of /proc/PID/maps and smaps, proc_pid_maps(5) and proc_pid_smaps(5).
 *
 * First the mappings are copied under the space's lock, then they are written down without it: finding the path
 * of a file takes locks that come before it.
 */
#include "base/fmt.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/mm.h"
#include "mm/resident.h"
#include "vfs/file.h"
#include "vfs/mmap.h"

#define NAME_COLUMN 73 /* where the name of a mapping begins */
#define LINE_MAX    (256 + 4096)
#define SMAPS_MAX   1024

struct map_line {
    u64 start, end, flags, offset;
    enum vma_kind kind;
    char name[24];     /* "[heap]" and the like, or "" */
    struct file *file; /* counted, or NULL */
    struct host_residence in_memory;
};

struct map_list {
    const struct mm *mm;
    struct map_line *lines;
    size_t n, room;
};

static const char *name_of(const struct mm *mm, const struct vma *vma)
{
    if (vma->at.name)
        return vma->at.name;
    if (vma->at.kind == VMA_MEMOBJ && !vma->at.owner)
        return "/dev/zero (deleted)"; /* shared anonymous memory */
    if (vma->at.kind != VMA_ANON)
        return NULL;
    if (vma->start < mm->brk && vma->end > mm->start_brk)
        return "[heap]";
    return vma->start <= mm->start_stack && vma->end >= mm->start_stack ? "[stack]" : NULL;
}

static int collect(const struct vma *vma, void *arg)
{
    struct map_list *list = arg;

    if (list->n == list->room) {
        size_t room = list->room ? list->room * 2 : 32;
        struct map_line *lines = krealloc(list->lines, room * sizeof *lines);

        if (!lines)
            return -ENOMEM;
        list->lines = lines;
        list->room = room;
    }

    struct file *file = vma_file(vma);
    const char *name = name_of(list->mm, vma);

    list->lines[list->n++] = (struct map_line){
        .start = vma->start,
        .end = vma->end,
        .flags = vma->flags,
        .offset = vma->at.kind == VMA_ANON || vma->at.kind == VMA_KERNEL ? 0 : vma->at.offset,
        .kind = vma->at.kind,
        .file = file ? file_get(file) : NULL,
        .in_memory = residence_range(vma),
    };
    if (name)
        strlcpy(list->lines[list->n - 1].name, name, sizeof(list->lines->name));
    return 0;
}

/* One line; at most LINE_MAX bytes. */
static size_t print_line(char *out, const struct map_line *line, const struct path *root,
                         char *path)
{
    const struct inode *inode = line->file ? line->file->inode : NULL;
    struct kstat stat = {0};
    const char *name = line->name;
    size_t n;

    if (inode && inode_getattr(line->file->inode, &stat) < 0)
        stat = (struct kstat){0};
    n = (size_t)scnprintf(out, LINE_MAX, "%08llx-%08llx %c%c%c%c %08llx %02x:%02x %llu",
                          (unsigned long long)line->start, (unsigned long long)line->end,
                          line->flags & VM_READ ? 'r' : '-', line->flags & VM_WRITE ? 'w' : '-',
                          line->flags & VM_EXEC ? 'x' : '-', line->flags & VM_SHARED ? 's' : 'p',
                          (unsigned long long)line->offset, dev_major(stat.dev),
                          dev_minor(stat.dev), (unsigned long long)stat.ino);
    if (line->file) {
        name = file_text(line->file, root, path, 4096);
        if (IS_ERR(name))
            name = "";
    }
    /* Linux ends the columns with a blank, also where nothing follows. */
    out[n++] = ' ';
    if (*name) {
        while (n < NAME_COLUMN)
            out[n++] = ' ';
        for (; *name && n < LINE_MAX - 4; name++) {
            if (*name == '\n')
                n += (size_t)scnprintf(out + n, 5, "\\012");
            else
                out[n++] = *name;
        }
    }
    out[n++] = '\n';
    return n;
}

/* The two letters of each property, as smaps shows them. */
static size_t print_flags(char *out, size_t size, u64 flags)
{
    static const struct {
        u64 flag;
        char text[4];
    } names[] = {
        {VM_READ, "rd "},       {VM_WRITE, "wr "},      {VM_EXEC, "ex "},     {VM_SHARED, "sh "},
        {VM_MAYREAD, "mr "},    {VM_MAYWRITE, "mw "},   {VM_MAYEXEC, "me "},  {VM_GROWSDOWN, "gd "},
        {VM_LOCKED, "lo "},     {VM_SEQUENTIAL, "sr "}, {VM_RANDOM, "rr "},   {VM_DONTFORK, "dc "},
        {VM_NORESERVE, "nr "},  {VM_WIPEONFORK, "wf "}, {VM_DONTDUMP, "dd "}, {VM_HUGEPAGE, "hg "},
        {VM_NOHUGEPAGE, "nh "}, {VM_MERGEABLE, "mg "},  {VM_SEALED, "sl "},
    };
    size_t n = (size_t)scnprintf(out, size, "VmFlags: ");

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (flags & names[i].flag)
            n += (size_t)scnprintf(out + n, size - n, "%s", names[i].text);
    }
    return n + (size_t)scnprintf(out + n, size - n, "\n");
}

/* Sums over mappings, kB. What several map is counted as shared; which of it is also mapped elsewhere is not known. */
struct map_sums {
    unsigned long long size, own, shared, anonymous, locked;
};

static struct map_sums sums_of(const struct map_line *line)
{
    struct map_sums sums = {
        .size = (line->end - line->start) >> 10,
        .own = line->in_memory.own * (PAGE_SIZE / 1024),
        .shared = line->in_memory.shared * (PAGE_SIZE / 1024),
    };

    sums.anonymous = sums.own;
    sums.locked = line->flags & VM_LOCKED ? sums.own + sums.shared : 0;
    return sums;
}

static size_t print_sums(char *out, size_t size, const struct map_sums *sums)
{
    size_t n = (size_t)scnprintf(
        out, size,
        "Rss:            %8llu kB\nPss:            %8llu kB\nPss_Dirty:      %8llu kB\n"
        "Shared_Clean:   %8llu kB\nShared_Dirty:   %8u kB\n"
        "Private_Clean:  %8u kB\nPrivate_Dirty:  %8llu kB\n"
        "Referenced:     %8llu kB\nAnonymous:      %8llu kB\n",
        sums->own + sums->shared, sums->own + sums->shared, sums->own, sums->shared, 0, 0,
        sums->own, sums->own + sums->shared, sums->anonymous);

    return n + (size_t)scnprintf(out + n, size - n,
                                 "LazyFree:       %8u kB\nAnonHugePages:  %8u kB\n"
                                 "ShmemPmdMapped: %8u kB\nFilePmdMapped:  %8u kB\n"
                                 "Shared_Hugetlb: %8u kB\nPrivate_Hugetlb:%8u kB\n"
                                 "Swap:           %8u kB\nSwapPss:        %8u kB\n"
                                 "Locked:         %8llu kB\n",
                                 0, 0, 0, 0, 0, 0, 0, 0, sums->locked);
}

/* At most SMAPS_MAX bytes. */
static size_t print_details(char *out, const struct map_line *line)
{
    struct map_sums sums = sums_of(line);
    size_t n = (size_t)scnprintf(
        out, SMAPS_MAX,
        "Size:           %8llu kB\nKernelPageSize: %8u kB\nMMUPageSize:    %8u kB\n", sums.size, 4,
        4);

    n += print_sums(out + n, SMAPS_MAX - n, &sums);
    n += (size_t)scnprintf(out + n, SMAPS_MAX - n, "THPeligible:    0\n");
    return n + print_flags(out + n, SMAPS_MAX - n, line->flags);
}

/* proc_pid_smaps(5), "smaps_rollup": one range from the first to the last mapping. */
static char *print_rollup(const struct map_list *list, size_t *len)
{
    char *text = kmalloc(LINE_MAX + SMAPS_MAX);
    struct map_sums all = {0};

    if (!text)
        return NULL;
    for (size_t i = 0; i < list->n; i++) {
        struct map_sums one = sums_of(&list->lines[i]);

        all.own += one.own;
        all.shared += one.shared;
        all.anonymous += one.anonymous;
        all.locked += one.locked;
    }
    *len = (size_t)scnprintf(text, LINE_MAX,
                             "%08llx-%08llx ---p 00000000 00:00 0                          "
                             "[rollup]\n",
                             list->n ? (unsigned long long)list->lines[0].start : 0ULL,
                             list->n ? (unsigned long long)list->lines[list->n - 1].end : 0ULL);
    *len += print_sums(text + *len, SMAPS_MAX, &all);
    return text;
}

/* The text grows by what one mapping may need, so that printing itself cannot fail. */
static char *print_all(const struct map_list *list, const struct path *root, enum maps_kind kind,
                       size_t *len)
{
    size_t room = 0, n = 0;
    char *text = NULL, *path = kmalloc(4096);

    for (size_t i = 0; path && i < list->n; i++) {
        if (room - n < LINE_MAX + SMAPS_MAX) {
            char *more = krealloc(text, room = room * 2 + 2 * (LINE_MAX + SMAPS_MAX));

            if (!more) {
                kfree(text);
                kfree(path);
                return NULL;
            }
            text = more;
        }
        n += print_line(text + n, &list->lines[i], root, path);
        if (kind == MAPS_SMAPS)
            n += print_details(text + n, &list->lines[i]);
    }
    *len = n;
    if (path && !text)
        text = kzalloc(1);
    kfree(path);
    return text;
}

/* Asks about all mappings at once. */
static int look_up_residence(struct map_list *list, struct target_space *space)
{
    struct host_residence *ranges = kmalloc((list->n + 1) * sizeof(*ranges));

    if (!ranges)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++)
        ranges[i] = list->lines[i].in_memory;
    host_space_resident(space, ranges, list->n);
    for (size_t i = 0; i < list->n; i++)
        list->lines[i].in_memory = ranges[i];
    kfree(ranges);
    return 0;
}

char *maps_text(struct mm *mm, struct target_space *space, const struct path *root,
                enum maps_kind kind, size_t *len)
{
    struct map_list list = {.mm = mm};
    int err = mm_for_each_vma(mm, collect, &list);
    char *text = NULL;

    if (!err && kind != MAPS_PLAIN)
        err = look_up_residence(&list, space);
    if (!err)
        text = kind == MAPS_ROLLUP ? print_rollup(&list, len) : print_all(&list, root, kind, len);
    for (size_t i = 0; i < list.n; i++) {
        if (list.lines[i].file)
            file_put(list.lines[i].file);
    }
    kfree(list.lines);
    return text ? text : ERR_PTR(-ENOMEM);
}
