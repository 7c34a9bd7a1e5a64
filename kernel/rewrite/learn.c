/* kernel/rewrite/learn.c: what traps teach, and threads that stand where the original has no instruction. */
#include "rewrite/internal.h"

#include "host/thread.h"
#include "rewrite/hot.h"
#include "self/self.h"
#include "task/task.h"
#include "vfs/file.h"
#include "vfs/mmap.h"

#include <myst/boot.h>

/*
 * How many traps of a site there are before it is rewritten; how many traps could have been spared before an image replaces
 * another one, and how often that doubles. Debug builds rewrite at once: a test that is short finds the same.
 */
#ifdef MYST_DEBUG
#define TRAPS_BEFORE   1
#define PUBLISH_FIRST  1U
#define PUBLISH_DOUBLE 0
#else
#define TRAPS_BEFORE   2
#define PUBLISH_FIRST  16U
#define PUBLISH_DOUBLE 3
#endif

static struct text_image *plain_hook(struct text_image *image)
{
    struct text_image *plain;

    mutex_lock(&rewrite_lock);
    plain = text_plain(image);
    mutex_unlock(&rewrite_lock);
    return plain;
}

void rewrite_start(const struct boot_info *boot)
{
    text_image_plain = plain_hook;
    rewrite_gate = boot->no_patch ? 0 : host_call_gate();
}

/* --- traps ---------------------------------------------------------------------------------------------------------- */

/* A mapping of the caller's that holds a call site. */
struct place {
    struct file *file; /* counted */
    u64 start, offset, len;
    u32 nsites; /* rewritten in the image that it shows */
    bool alone; /* no other thread can run the text now */
};

static bool place_find(u64 addr, struct place *place)
{
    struct mm *mm = self()->mm;
    struct vma *vma;

    mm_lock(mm);
    vma = vma_find(mm, addr);
    place->file = vma && vma_rewritable(vma) ? vma_file(vma) : NULL;
    if (place->file) {
        file_get(place->file);
        place->start = vma->start;
        place->offset = vma->at.offset;
        place->len = vma->end - vma->start;
        place->alone = task_self()->process->nthreads == 1 && refcount_read(&mm->ref) == 1;
        place->nsites = vma->at.text ? vma->at.text->nsites : 0;
    }
    mm_unlock(mm);
    return place->file;
}

static struct trap_count *trap_count(struct text *text, u32 at)
{
    for (u32 i = 0; i < TRAP_SLOTS; i++) {
        struct trap_count *slot = &text->traps[(at * 2654435761U + i) % TRAP_SLOTS];

        if (slot->count && slot->at != at)
            continue;
        slot->at = at;
        return slot;
    }
    return NULL;
}

static u32 site_index(const struct text *text, u32 at)
{
    u32 i = 0;

    while (i < text->nsites && text->sites[i].at != at)
        i++;
    return i;
}

/* Counts the trap. Is it time to rewrite the site? */
static bool deserves_locked(struct text *text, u32 at)
{
    struct trap_count *traps = trap_count(text, at);

    return traps && ++traps->count >= TRAPS_BEFORE && !traps->refused;
}

/* The image that the trap's mapping should show, counted, or NULL. deserved: the site may be added. */
static struct text_image *learn_locked(struct text *text, const struct place *place, u32 at, u32 nr,
                                       bool deserved)
{
    u32 site = site_index(text, at);

    if (site < place->nsites) /* a jump to the instruction, which still stands behind its load */
        return NULL;
    if (text->current && site < text->current->nsites)
        return text_image_get(text->current);
    if (site == text->nsites) {
        if (!deserved || !text_draft(text))
            return NULL;
        enum rewritten result = text_rewrite(text, at, nr, place->alone);

        if (result == REWRITE_NEVER)
            trap_count(text, at)->refused = true;
        if (result != REWRITE_DONE)
            return NULL;
    }
    if (++text->due < PUBLISH_FIRST << MIN(text->published, (u32)PUBLISH_DOUBLE))
        return NULL;
    text_publish(text);
    return text_image_get(text->current);
}

static void learn(const struct place *place, u64 addr, u32 nr)
{
    struct text *text = text_of(place->file, place->offset, place->len);
    u32 at = (u32)(addr - place->start);
    struct text_image *image = NULL;
    bool deserved, missing;

    if (!text)
        return;
    mutex_lock(&rewrite_lock);
    deserved = deserves_locked(text, at) && text->code;
    missing = deserved && !text->draft && !text->current;
    if (!missing)
        image = learn_locked(text, place, at, nr, deserved);
    mutex_unlock(&rewrite_lock);
    if (missing) {
        struct text_image *first = text_read(text, place->file);

        mutex_lock(&rewrite_lock);
        text_begin(text, first);
        image = learn_locked(text, place, at, nr, first);
        mutex_unlock(&rewrite_lock);
    }
    if (image)
        mm_text_show(addr, place->file, image, place->alone);
    text_image_put(image);
}

void upcall_trapped(void)
{
    const struct target_regs *regs = &self()->thread.regs;
    u64 addr = regs->rip - SYSCALL_SIZE;
    struct place place;

    if (hot_counting && self()->mm)
        hot_count(addr, (u32)regs->orig_rax);
    if (!rewrite_gate || !self()->mm || !place_find(addr, &place))
        return;
    learn(&place, addr, (u32)regs->orig_rax);
    file_put(place.file);
}

/* --- threads in holes and stubs ---------------------------------------------------------------------------------- */

/* Where a thread is that its program believes elsewhere. */
struct standing {
    u64 original;     /* where the program believes it */
    struct site site; /* whose hole or stub it is; not of the gate */
    u64 base;         /* of the text */
};

static bool find_standing(const struct text *text, const struct target_regs *regs,
                          struct standing *out)
{
    u32 offset = (u32)(regs->rip - out->base), gate = ALIGN_UP(text->code, 16U), at;

    if (offset - gate < GATE_SIZE) {
        out->original = regs->rcx - SYSCALL_SIZE;
        return true;
    }
    for (u32 i = 0; i < text->nsites; i++) {
        if (site_original(&text->sites[i], offset, &at)) {
            out->site = text->sites[i];
            out->original = out->base + at;
            return true;
        }
    }
    return false;
}

static bool standing(struct standing *out)
{
    const struct target_regs *regs = &self()->thread.regs;
    struct mm *mm = self()->mm;
    bool found = false;

    *out = (struct standing){0};
    if (!rewrite_gate || !mm)
        return false;
    mm_lock(mm);
    const struct vma *vma = vma_find(mm, regs->rip);
    const struct text_image *image = vma ? vma->at.text : NULL;

    if (image) {
        out->base = vma->start - (vma->at.offset - image->offset);
        mutex_lock(&rewrite_lock);
        found = find_standing(image->text, regs, out);
        mutex_unlock(&rewrite_lock);
    }
    mm_unlock(mm);
    return found;
}

void rewrite_settle(void)
{
    struct standing where;

    if (standing(&where))
        self()->thread.regs.rip = where.original;
}

/*
 * The step was a jump, where the original loads the number or makes the call. Without this a debugger would step for
 * ever: each jump would be taken back by rewrite_settle().
 */
void rewrite_step(void)
{
    struct target_regs *regs = &self()->thread.regs;
    struct standing where;

    if (!standing(&where) || !where.site.stub_size)
        return;
    if (where.site.form == SITE_LOAD) {
        regs->rax = where.site.nr;
        regs->rip = where.base + where.site.start + LOAD_SIZE;
        return;
    }
    regs->rip = regs->rcx = where.base + where.site.at + SYSCALL_SIZE;
    regs->r11 = regs->rflags;
    regs->orig_rax = (u32)regs->rax;
    upcall_syscall();
}
