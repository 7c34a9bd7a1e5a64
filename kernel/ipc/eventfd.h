/* kernel/ipc/eventfd.h: event descriptors that the kernel itself counts up. */
#ifndef IPC_EVENTFD_H
#define IPC_EVENTFD_H

#include "base/types.h"

struct file;

bool file_is_eventfd(const struct file *file);
void eventfd_signal(struct file *file); /* adds one, without ever waiting */

#endif
