/* kernel/rewrite/hot.c: see hot.h. */
#include "rewrite/hot.h"

#include "base/string.h"
#include "rewrite/internal.h"
#include "self/self.h"
#include "vfs/file.h"
#include "vfs/fs_context.h"
#include "vfs/mmap.h"

#define HOT_SITES 1024 /* a power of two; further ones are not counted */
#define PATH_SIZE 1024

bool hot_counting;
static struct hot_site hot_sites[HOT_SITES]; /* rewrite_lock */

static struct hot_site *hot_slot(u64 ino, u64 offset)
{
    u64 hash = (offset ^ ino << 32) * 0x9e3779b97f4a7c15UL;

    for (u32 i = 0; i < HOT_SITES; i++) {
        struct hot_site *slot = &hot_sites[((hash >> 40) + i) % HOT_SITES];

        if (!slot->count || (slot->offset == offset && slot->ino == ino))
            return slot;
    }
    return NULL;
}

static void name_file(struct file *file, char name[HOT_NAME])
{
    AUTO_PATH root = {0};
    char buffer[PATH_SIZE];
    const char *text = "[no file]";
    size_t len;

    if (file) {
        fs_root(&root);
        text = file_text(file, &root, buffer, sizeof(buffer));
    }
    if (IS_ERR(text))
        text = "?";
    len = strlen(text);
    strlcpy(name, len < HOT_NAME ? text : text + len - (HOT_NAME - 1), HOT_NAME);
}

/* Counts a trap of a site that has been met, or for which there is no place. False: it needs a name. */
static bool counted_locked(struct hot_site *slot, u32 nr)
{
    if (!slot)
        return true;
    if (!slot->count)
        return false;
    slot->count++;
    slot->nr = nr;
    return true;
}

void hot_count(u64 addr, u32 nr)
{
    struct mm *mm = self()->mm;
    AUTO(file_put) struct file *file = NULL;
    struct hot_site site = {.offset = addr, .nr = nr, .count = 1};
    struct hot_site *slot;
    bool counted;

    mm_lock(mm);
    const struct vma *vma = vma_find(mm, addr);

    if (vma && vma_file(vma)) {
        file = file_get(vma_file(vma));
        site.offset = vma->at.offset + (addr - vma->start);
        site.ino = file->inode->ino;
    }
    mm_unlock(mm);
    mutex_lock(&rewrite_lock);
    counted = counted_locked(hot_slot(site.ino, site.offset), nr);
    mutex_unlock(&rewrite_lock);
    if (counted)
        return;
    name_file(file, site.name);
    mutex_lock(&rewrite_lock);
    slot = hot_slot(site.ino, site.offset);
    if (!counted_locked(slot, nr))
        *slot = site;
    mutex_unlock(&rewrite_lock);
}

u32 hot_top(struct hot_site *out, u32 n)
{
    u32 found = 0;

    mutex_lock(&rewrite_lock);
    for (u32 i = 0; i < HOT_SITES; i++) {
        u32 at = MIN(found, n - 1);

        if (!hot_sites[i].count || (found == n && out[at].count >= hot_sites[i].count))
            continue;
        for (; at > 0 && out[at - 1].count < hot_sites[i].count; at--)
            out[at] = out[at - 1];
        out[at] = hot_sites[i];
        found = MIN(found + 1, n);
    }
    mutex_unlock(&rewrite_lock);
    return found;
}
