/* kernel/ipc/timerfd.h: timer descriptors, timerfd_create(2). */
#ifndef IPC_TIMERFD_H
#define IPC_TIMERFD_H

/* Registers what happens when the clock is set. */
void timerfd_start(void);

#endif
