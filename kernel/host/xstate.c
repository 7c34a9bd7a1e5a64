/* kernel/host/xstate.c: see xstate.h. */
#include "host/xstate.h"

#include "base/errno.h"
#include "host/border.h"

#include <asm/sigcontext.h>

#define HEAD_SIZE (sizeof(struct _fpstate_64) + sizeof(struct _header))
#define MAGIC2    sizeof(u32)
#define ALIGNMENT 64
#define LARGEST   16384 /* the target refuses more, by the room on its stacks: docs/entry.md */

static size_t xstate_size; /* constant after the start */

int host_xstate_start(void)
{
    size_t size = target_xstate_size();

    if (!BORDER(xstate_size, size >= sizeof(struct _fpstate_64) && size <= LARGEST))
        return -EIO;
    xstate_size = size;
    return 0;
}

size_t host_xstate_size(void)
{
    return xstate_size;
}

/* What the head says about the size decides how much is copied: arch/x86_64's layout of a signal frame. */
static bool head_is_sane(const struct _xstate *state)
{
    const struct _fpx_sw_bytes *sw = &state->fpstate.sw_reserved;

    return sw->magic1 != FP_XSTATE_MAGIC1 ||
           (sw->extended_size <= xstate_size && sw->xstate_size >= HEAD_SIZE &&
            sw->xstate_size + MAGIC2 <= xstate_size);
}

void *host_xstate(struct self *thread)
{
    uintptr_t state = (uintptr_t)target_xstate(&thread->thread);

    if (!BORDER(xstate_place, state && state % ALIGNMENT == 0 && state + xstate_size > state) ||
        !BORDER(xstate_head, head_is_sane((const struct _xstate *)state)))
        return NULL;
    return (void *)state;
}

void host_xstate_reset(void)
{
    target_xstate_reset();
}
