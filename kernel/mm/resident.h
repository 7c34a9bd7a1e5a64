/* kernel/mm/resident.h: how much of a space is in memory. */
#ifndef MM_RESIDENT_H
#define MM_RESIDENT_H

#include "host/mem.h"
#include "mm/mm.h"

struct mm_resident { /* pages */
    u64 anon;        /* the space's own */
    u64 file;        /* of files of the host, shared with whoever reads them */
    u64 shmem;       /* of memory that several may map */
    u64 peak;        /* the largest sum of the three that was seen so far */
};

static inline u64 mm_resident_sum(const struct mm_resident *r)
{
    return r->anon + r->file + r->shmem;
}

/* space: where the threads of mm stand; NULL: nowhere any more. Asks the host; no lock may be held. */
int mm_resident(struct mm *mm, struct target_space *space, struct mm_resident *out);

/* The part of a mapping to ask host_space_resident() about. */
struct host_residence residence_range(const struct vma *vma);

#endif
