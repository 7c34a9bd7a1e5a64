/* kernel/ipc/pipe.h: pipes and FIFOs, pipe(7). */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include "base/types.h"

/* Registers what opens FIFOs. */
void pipe_start(void);

#endif
