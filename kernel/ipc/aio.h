/* kernel/ipc/aio.h: what /proc/sys/fs tells of asynchronous requests, proc(5). */
#ifndef IPC_AIO_H
#define IPC_AIO_H

#include "base/types.h"

extern struct aio_limits {
    u32 max; /* aio-max-nr; a word that is read and written whole */
    u32 nr;  /* atomic; aio-nr: events that all contexts together were made for */
} aio_limits;

#endif
