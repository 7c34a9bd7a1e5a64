/* kernel/ipc/pipe.h: pipes and FIFOs, pipe(7). */
#ifndef IPC_PIPE_H
#define IPC_PIPE_H

#include "base/types.h"

struct file;
struct iter;

/* Registers what opens FIFOs. */
void pipe_start(void);

/* ---- for splice(2) and its kin: the bytes in the ring itself ---- */

bool file_is_pipe(const struct file *file);
bool pipe_same(const struct file *a, const struct file *b); /* two ends of one pipe */

/* Takes bytes out of the piece of a pipe, or puts some into it. How many, or an error. */
typedef ssize_t pipe_piece_fn(void *arg, struct iter *piece);

/* Waits for data, as read(2), and offers up to max bytes of it; what was taken is consumed, or stays. */
ssize_t pipe_drain(struct file *file, size_t max, bool consume, pipe_piece_fn *take, void *arg);
/* Waits for room, as write(2), and offers up to max bytes of it. */
ssize_t pipe_fill_by(struct file *file, size_t max, pipe_piece_fn *put, void *arg);

#endif
