/*
 * kernel/ipc/packets.h: where packets lie in a pipe's stream: pipe2(2), O_DIRECT. Bytes between packets are those of
 * writers without that flag. The pipe's lock protects it.
 */
#ifndef IPC_PACKETS_H
#define IPC_PACKETS_H

#include "base/types.h"

#define PACKETS_MAX 256 /* in one pipe, whatever its size */

struct packets {
    struct packet {
        u64 start, end; /* positions in the stream */
    } * ring;           /* PACKETS_MAX of them; NULL: nobody has written one */
    u32 first, count;
};

int packets_prepare(struct packets *packets); /* before the first packet, without a lock; -ENOMEM */
void packets_release(struct packets *packets);

void packets_add(struct packets *packets, u64 start, u64 end); /* there must be room */
/* How many of n bytes a read at tail may take. */
u32 packets_limit(const struct packets *packets, u64 tail, u32 n);
/*
 * n bytes at tail were taken: where the stream goes on. What is left of a packet is lost, or with keep the rest is a
 * packet of its own.
 */
u64 packets_pass(struct packets *packets, u64 tail, u32 n, bool keep);
void packets_rebase(struct packets *packets, u64 by); /* the stream's positions become smaller */

#endif
