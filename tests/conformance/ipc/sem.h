/* sem.h: System V semaphores, for the tests of semop(2). */
#ifndef IPC_SEM_H
#define IPC_SEM_H

#include "../lib/check.h"

#include <sys/ipc.h>
#include <sys/sem.h>

static inline int new_set(int count)
{
    return must(semget(IPC_PRIVATE, count, IPC_CREAT | 0600));
}

static inline void remove_set(int id)
{
    must(semctl(id, 0, IPC_RMID));
}

static inline int value_of(int id, int number)
{
    return must(semctl(id, number, GETVAL));
}

static inline int op(int id, unsigned short number, short change, short flags)
{
    struct sembuf buf = {number, change, flags};

    return semop(id, &buf, 1);
}

#endif
