/* kernel/net/inet/tcp_stream.c: the bytes of one direction of a connection; see struct tcp_stream. */
#include "base/errno.h"
#include "mm/alloc.h"
#include "net/inet/tcp.h"

static struct chunk *chunk_create(void)
{
    struct chunk *chunk = kmalloc(CHUNK_SIZE);

    if (chunk) {
        chunk->next = NULL;
        chunk->begin = chunk->end = 0;
    }
    return chunk;
}

void chunks_free(struct chunk *list)
{
    while (list) {
        struct chunk *next = list->next;

        kfree(list);
        list = next;
    }
}

void stream_release(struct tcp_stream *s)
{
    chunks_free(s->head);
    kfree(s->spare);
    s->head = s->tail = s->spare = NULL;
}

/* ---- writing ---- */

static ssize_t stage_in_tail(struct tcp_stream *s, struct iter *from, u32 n, struct staged *staged)
{
    struct chunk *tail = s->tail;
    u32 piece = tail ? MIN(n, CHUNK_DATA - tail->end) : 0;
    ssize_t moved = piece ? copy_from_iter(from, tail->data + tail->end, piece) : 0;

    if (moved > 0)
        staged->in_tail = (u32)moved;
    return moved;
}

static ssize_t stage_in_new(struct tcp_stream *s, struct iter *from, u32 n, struct staged *staged)
{
    struct chunk *chunk = s->spare ? TAKE(s->spare) : chunk_create();
    ssize_t moved;

    if (!chunk)
        return -ENOMEM;
    moved = copy_from_iter(from, chunk->data, MIN(n, CHUNK_DATA));
    if (moved <= 0) {
        kfree(chunk);
        return moved;
    }
    chunk->end = (u32)moved;
    if (staged->last)
        staged->last->next = chunk;
    else
        staged->first = chunk;
    staged->last = chunk;
    return moved;
}

ssize_t stream_stage(struct tcp_stream *s, struct iter *from, u32 n, struct staged *staged)
{
    ssize_t moved;

    *staged = (struct staged){0};
    moved = stage_in_tail(s, from, n, staged);
    while (moved >= 0) {
        staged->total += (u32)moved;
        if (staged->total == n || !iter_left(from))
            break;
        moved = stage_in_new(s, from, n - staged->total, staged);
    }
    return staged->total ? (ssize_t)staged->total : moved;
}

void stream_publish_locked(struct tcp_stream *s, const struct staged *staged)
{
    if (staged->in_tail)
        WRITE_ONCE(s->tail->end, s->tail->end + staged->in_tail);
    if (staged->first) {
        if (s->tail)
            s->tail->next = staged->first;
        else
            s->head = staged->first;
        s->tail = staged->last;
    }
    s->written_at += staged->total;
}

/* ---- reading ---- */

ssize_t stream_copy(const struct tcp_stream *s, struct iter *to, u64 skip, u32 n)
{
    const struct chunk *chunk = s->head;
    u32 done = 0;

    while (done < n) {
        u32 have = READ_ONCE(chunk->end) - chunk->begin, piece;
        ssize_t moved;

        if (skip >= have) {
            skip -= have;
            chunk = chunk->next;
            continue;
        }
        piece = MIN(n - done, have - (u32)skip);
        moved = copy_to_iter(to, chunk->data + chunk->begin + skip, piece);
        if (moved < 0)
            return done ? (ssize_t)done : moved;
        done += (u32)moved;
        if ((u32)moved < piece)
            break;
        skip = 0;
        if (done < n)
            chunk = chunk->next;
    }
    return done;
}

struct chunk *stream_consume_locked(struct tcp_stream *s, u64 n)
{
    struct chunk *empty = NULL;

    s->read_at += n;
    while (s->head) {
        struct chunk *chunk = s->head;
        u32 piece = (u32)MIN(n, (u64)(chunk->end - chunk->begin));

        chunk->begin += piece;
        n -= piece;
        if (chunk->begin != chunk->end)
            break;
        if (chunk == s->tail) {
            /* A writer may be filling the rest of it. */
            if (!s->writing)
                chunk->begin = chunk->end = 0;
            break;
        }
        s->head = chunk->next;
        chunk->next = empty;
        empty = chunk;
    }
    if (empty && !s->spare && !s->writing) {
        s->spare = empty;
        empty = empty->next;
        s->spare->next = NULL;
        s->spare->begin = s->spare->end = 0;
    }
    return empty;
}
