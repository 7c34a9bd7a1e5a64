/*
 * kernel/task/stack.c: kernel stack blocks, which begin with struct self.
 *
 * A thread that ends still stands on its block for a moment; the target says when it has left. Until
 * then the block waits in a list, and the next allocation looks there first.
 */
#include "task/internal.h"

#include "base/string.h"
#include "host/thread.h"
#include "mm/alloc.h"

#include <myst/boot.h>

#define BLOCKS_KEPT 16 /* unused ones that are not given back to the page allocator */

static struct {
    struct spinlock lock;    /* class OBJECT; what is below */
    struct list_head blocks; /* self->all; not used, maybe not left yet */
    u32 count;
} spare = {
    .lock = SPINLOCK(OBJECT),
    .blocks = LIST_HEAD_INIT(spare.blocks),
};

/* The oldest are the likeliest to have been left. */
static struct self *spare_take(void)
{
    struct self *block;

    list_for_each_entry(block, &spare.blocks, all) {
        if (host_thread_gone(block)) {
            list_del(&block->all);
            spare.count--;
            return block;
        }
    }
    return NULL;
}

/* A host thread that comes too late may look at the number of a start, for ever. */
static void self_clear(struct self *block)
{
    uint64_t *start = &block->thread.start;

    memset(block, 0, offsetof(struct self, thread.start));
    __atomic_store_n(start, 0, __ATOMIC_RELAXED);
    memset(start + 1, 0, sizeof(*block) - offsetof(struct self, thread.start) - sizeof(*start));
}

struct self *stack_alloc(void)
{
    struct self *block;

    spin_lock(&spare.lock);
    block = spare_take();
    spin_unlock(&spare.lock);

    if (!block) {
        u64 offset = pages_alloc(TARGET_STACK_SIZE, TARGET_STACK_SIZE, PAGES_DIRTY);

        if (offset == PAGES_NONE)
            return NULL;
        block = pages_address(offset);
    }
    self_clear(block);
    list_init(&block->all);
    list_init(&block->waits);
    list_init(&block->wait_heir);
    block->current_nr = -1;
    return block;
}

/* The first thread's block is the target's own. */
static bool is_from_pages(const struct self *block)
{
    return (u64)block - MYST_WINDOW_BASE < MYST_WINDOW_SIZE;
}

void stack_free(struct self *block)
{
    struct self *surplus = NULL;

    spin_lock(&spare.lock);
    if (spare.count >= BLOCKS_KEPT)
        surplus = spare_take();
    if (surplus && !is_from_pages(surplus)) {
        list_add_tail(&surplus->all, &spare.blocks);
        spare.count++;
        surplus = NULL;
    }
    list_add_tail(&block->all, &spare.blocks);
    spare.count++;
    spin_unlock(&spare.lock);

    if (surplus)
        pages_free(pages_offset(surplus), TARGET_STACK_SIZE);
}
