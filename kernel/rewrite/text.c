/* kernel/rewrite/text.c: the text of a file, and the images of it in which call sites are rewritten. */
#include "rewrite/internal.h"

#include "base/string.h"
#include "mm/alloc.h"
#include "vfs/file.h"
#include "vfs/inode.h"

#include <linux/elf.h>

#define SEGMENTS_MAX 64
#define TEXT_MAX     (64UL << 20) /* of larger texts no copies are made */

u64 rewrite_gate;
struct mutex rewrite_lock = {.lock = {.lock_class = LOCK_REWRITE}};

/* --- finding out what a file's text is ------------------------------------------------------------------------- */

static bool header_is_sound(const Elf64_Ehdr *header)
{
    return memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_phentsize == sizeof(Elf64_Phdr) &&
           header->e_phnum <= SEGMENTS_MAX &&
           header->e_phoff <= INT64_MAX - SEGMENTS_MAX * sizeof(Elf64_Phdr);
}

/* Is it the executable segment that is mapped as this range? *end: where it ends in the file. */
static bool is_segment(const Elf64_Phdr *p, u64 offset, u64 len, u64 *end)
{
    return p->p_type == PT_LOAD && (p->p_flags & (PF_X | PF_W)) == PF_X &&
           p->p_memsz == p->p_filesz && ALIGN_DOWN(p->p_offset, PAGE_SIZE) == offset &&
           !add_overflow(p->p_offset, p->p_filesz, end) && *end > offset && *end - offset <= len &&
           len - (*end - offset) < PAGE_SIZE;
}

/* How many bytes of code stand from the begin of the range on, until the segment ends; 0: it is no segment. */
static u64 code_size(struct file *file, u64 offset, u64 len)
{
    Elf64_Ehdr header;
    Elf64_Phdr p;
    u64 end;

    if (file_read_kernel(file, &header, sizeof(header), 0) < 0 || !header_is_sound(&header))
        return 0;
    for (u32 i = 0; i < header.e_phnum; i++) {
        if (file_read_kernel(file, &p, sizeof(p), (loff_t)(header.e_phoff + i * sizeof(p))) < 0)
            return 0;
        if (is_segment(&p, offset, len, &end))
            return end - offset;
    }
    return 0;
}

/* Behind the code the last page of the segment is nobody's, as far as the file has only zeros there. */
static bool slack_is_free(struct file *file, u64 from, u64 to, u64 size)
{
    u8 bytes[256];

    for (u64 end = MIN(to, size); from < end;) {
        size_t n = (size_t)MIN(end - from, sizeof(bytes));

        if (file_read_kernel(file, bytes, n, (loff_t)from) < 0)
            return false;
        for (size_t i = 0; i < n; i++)
            if (bytes[i])
                return false;
        from += n;
    }
    return true;
}

static struct text *text_make(struct file *file, u64 offset, u64 len, const struct kstat *stat)
{
    struct text *text = kzalloc(sizeof(*text));
    u64 code;

    if (!text)
        return NULL;
    text->offset = offset;
    text->len = len;
    text->size = stat->size;
    text->mtime = stat->mtime;
    text->ctime = stat->ctime;
    code = len <= TEXT_MAX ? code_size(file, offset, len) : 0;
    if (!code || !slack_is_free(file, offset + code, offset + len, stat->size))
        return text;
    text->room = ALIGN_UP((u32)code, 16U) + GATE_SIZE;
    if (text->room >= len)
        return text;
    text->max_sites = (u32)(len - text->room) / STUB_SIZE_MIN;
    text->sites = kcalloc(text->max_sites, sizeof(*text->sites));
    text->code = text->sites ? (u32)code : 0;
    return text;
}

static void text_free(struct text *text)
{
    text_image_put(text->current);
    text_image_put(text->draft);
    kfree(text->sites);
    kfree(text);
}

static struct text *find_locked(struct inode *inode, u64 offset, u64 len)
{
    struct text *text = inode->text;

    while (text && (text->stale || text->offset != offset || text->len != len))
        text = text->next;
    return text;
}

struct text *text_of(struct file *file, u64 offset, u64 len)
{
    struct inode *inode = file->inode;
    struct text *text, *other;
    struct kstat stat;

    mutex_lock(&rewrite_lock);
    text = find_locked(inode, offset, len);
    mutex_unlock(&rewrite_lock);
    if (text)
        return text;
    if (inode_getattr(inode, &stat) < 0)
        return NULL;
    text = text_make(file, offset, len, &stat);
    if (!text)
        return NULL;
    mutex_lock(&rewrite_lock);
    other = find_locked(inode, offset, len);
    if (!other) {
        text->next = inode->text;
        inode->text = text;
    }
    mutex_unlock(&rewrite_lock);
    if (other)
        text_free(text);
    return other ? other : text;
}

void rewrite_forget(struct inode *inode)
{
    struct text *text = inode->text;

    while (text) {
        struct text *next = text->next;

        text_free(text);
        text = next;
    }
    inode->text = NULL;
}

struct text_image *rewrite_attach(struct file *file, u64 offset, u64 len)
{
    struct text_image *image = NULL;
    struct kstat stat;
    struct text *text;

    if (!rewrite_gate || !READ_ONCE(file->inode->text) || inode_getattr(file->inode, &stat) < 0)
        return NULL;
    mutex_lock(&rewrite_lock);
    text = find_locked(file->inode, offset, len);
    if (text && (text->size != stat.size || text->mtime != stat.mtime || text->ctime != stat.ctime))
        text->stale = true;
    else if (text && text->current)
        image = text_image_get(text->current);
    mutex_unlock(&rewrite_lock);
    return image;
}

/* --- images ------------------------------------------------------------------------------------------------------- */

static struct text_image *image_alloc(struct text *text)
{
    struct text_image *image = kzalloc(sizeof(*image));

    if (!image)
        return NULL;
    image->window = pages_alloc(text->len, PAGE_SIZE, 0);
    if (image->window == PAGES_NONE) {
        kfree(image);
        return NULL;
    }
    refcount_init(&image->ref, 1);
    image->offset = text->offset;
    image->len = text->len;
    image->text = text;
    return image;
}

static struct text_image *image_copy(struct text *text, const struct text_image *from)
{
    struct text_image *image = image_alloc(text);

    if (image)
        memcpy(pages_address(image->window), pages_address(from->window), text->len);
    return image;
}

struct text_image *text_read(struct text *text, struct file *file)
{
    struct text_image *image = image_alloc(text);
    u8 *bytes;

    if (!image)
        return NULL;
    bytes = pages_address(image->window);
    if (file_read_kernel(file, bytes, text->code, (loff_t)text->offset) < 0) {
        text_image_put(image);
        return NULL;
    }
    gate_write(bytes + ALIGN_UP(text->code, 16U), rewrite_gate);
    return image;
}

void text_begin(struct text *text, struct text_image *first)
{
    if (text->draft || text->current)
        text_image_put(first); /* another thread was faster */
    else
        text->draft = first;
}

bool text_draft(struct text *text)
{
    if (!text->draft && text->current)
        text->draft = image_copy(text, text->current);
    return text->draft;
}

enum rewritten text_rewrite(struct text *text, u32 at, u32 nr, bool alone)
{
    u8 *bytes = pages_address(text->draft->window);
    const struct text_bytes code = {bytes, text->code, text->sites, text->nsites};
    struct site *site = &text->sites[text->nsites];

    if (text->nsites == text->max_sites || !site_find(&code, at, nr, site) ||
        site->stub_size > text->len - text->room)
        return REWRITE_NEVER;
    if (site->straddles && !alone)
        return REWRITE_LATER;
    site->stub = text->room;
    site_write(bytes, site, ALIGN_UP(text->code, 16U));
    text->room += site->stub_size;
    text->nsites++;
    return REWRITE_DONE;
}

void text_publish(struct text *text)
{
    text_image_put(text->current);
    text->draft->nsites = text->nsites;
    for (u32 i = 0; i < text->nsites; i++)
        text->draft->straddling += text->sites[i].straddles;
    text->current = text->draft;
    text->draft = NULL;
    text->due = 0;
    text->published++;
}

struct text_image *text_plain(struct text_image *image)
{
    struct text *text = image->text;
    struct text_image *plain = image_copy(text, image);

    if (!plain)
        return NULL;
    for (u32 i = 0; i < image->nsites; i++)
        site_restore(pages_address(plain->window), &text->sites[i]);
    return plain;
}
