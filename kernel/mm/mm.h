/*
 * kernel/mm/mm.h: address spaces of programs: the tree of mappings, and what changes it.
 *
 * The pages of a space are the target's business. Each change here is first a change of the caller's own
 * space through host/mem.h, so all functions that take no struct mm act on self()->mm, and are called by
 * threads that stand in it. See mmap(2), mprotect(2), mremap(2), madvise(2), brk(2), mlock(2).
 */
#ifndef MM_MM_H
#define MM_MM_H

#include "base/errno.h"
#include "base/list.h"
#include "base/rbtree.h"
#include "base/refcount.h"
#include "base/types.h"
#include "sync/sync.h"

struct memobj;
struct text_image;

/* struct vma's flags. The first three are PROT_ bits. */
#define VM_READ        BIT(0)
#define VM_WRITE       BIT(1)
#define VM_EXEC        BIT(2)
#define VM_PROT        (VM_READ | VM_WRITE | VM_EXEC)
#define VM_SHARED      BIT(3)
#define VM_MAYREAD     BIT(4)
#define VM_MAYWRITE    BIT(5)
#define VM_MAYEXEC     BIT(6)
#define VM_MAY(prot)   ((u64)(prot) << 4)
#define VM_GROWSDOWN   BIT(7)
#define VM_LOCKED      BIT(8)
#define VM_LOCKONFAULT BIT(9)
#define VM_NORESERVE   BIT(10)
#define VM_DONTFORK    BIT(11)
#define VM_WIPEONFORK  BIT(12)
#define VM_DONTDUMP    BIT(13)
#define VM_HUGEPAGE    BIT(14)
#define VM_NOHUGEPAGE  BIT(15)
#define VM_MERGEABLE   BIT(16)
#define VM_RANDOM      BIT(17)
#define VM_SEQUENTIAL  BIT(18)
#define VM_SEALED      BIT(19) /* mseal(2) */
#define VM_GUARD       BIT(20) /* MADV_GUARD_INSTALL: every access faults, whatever the rights */
/* Of a host file: was writable, or is text that was cut; it is not rewritten. */
#define VM_ALTERED BIT(21)

enum vma_kind {
    VMA_ANON,   /* private, zeros at first */
    VMA_MEMOBJ, /* a memory object, shared or copied on write */
    VMA_HOST,   /* an unmodified host file, copied on write */
    VMA_KERNEL, /* kernel pages that the program sees: the vDSO */
};

/* What the owner of a mapping (an open file) must do for it. vfs/mmap.c supplies those of files. */
struct vma_ops {
    void (*get)(void *owner);
    void (*put)(void *owner);
    int (*sync)(void *owner, u64 offset, u64 len);  /* msync(2) with MS_SYNC; NULL: nothing to do */
    int (*punch)(void *owner, u64 offset, u64 len); /* MADV_REMOVE; NULL: the memory object alone */
    int (*fill)(void *owner, u64 offset, u64 len); /* room for a page of an object that is scarce */
};

/* What stands behind a mapping. */
struct vma_backing {
    enum vma_kind kind;
    struct memobj *obj; /* MEMOBJ: counted */
    int host_file;      /* HOST: kept open by the owner */
    struct text_image
        *text;  /* HOST: the copy that is mapped in its place (mm/text.h); counted; or NULL */
    u64 offset; /* of the first byte in the file; KERNEL: in the page window */
    const struct vma_ops *ops; /* with owner: counted by ops->get */
    void *owner;               /* NULL: anonymous */
    const char *name; /* "[vdso]", "/SYSV..."; the owner keeps it, if there is one; or NULL */
};

/* numa(7): kept and told, see policy.h. All zeros: MPOL_DEFAULT. */
struct mempolicy {
    u16 mode;  /* MPOL_ and its MPOL_F_ flags */
    bool home; /* set_mempolicy_home_node(2) has named the one node that there is */
    u64 nodes; /* as get_mempolicy(2) tells them */
};

struct vma {
    struct rb_node node;   /* mm->lock: everything here */
    u64 start, end;        /* [start, end) */
    u64 gap;               /* free bytes before start */
    u64 max_gap;           /* the largest gap of the subtree */
    u64 flags;             /* VM_ */
    u64 filled;            /* MEMOBJ: up to here pages are mapped; behind it the file has ended */
    struct vma_backing at; /* of `start` */
    struct mempolicy policy;
    struct list_head dead;    /* unmapped, to be released when the lock is free */
    struct mm *mm;            /* constant while in the tree */
    struct list_head mapping; /* MEMOBJ: obj->mappings, under the object's lock */
};

#define MM_AUXV_WORDS 64

struct mm {
    struct refcount ref; /* processes and reports that use it */
    struct mutex lock;   /* class MM: everything below */
    struct rb_tree vmas; /* by start; disjoint */
    u32 map_count;
    u32 def_flags; /* VM_LOCKED, VM_LOCKONFAULT of new mappings: mlockall(MCL_FUTURE) */
    u32 mdwe;      /* PR_MDWE_ of PR_SET_MDWE; read without the lock */
    u64 total_vm, data_vm, exec_vm, stack_vm, shared_vm, locked_vm; /* pages */
    u64 highest_vm;                                                 /* largest total_vm so far */
    u64 highest_rss; /* pages; the largest number that mm_resident() has found */
    u64 mmap_base;   /* mappings are placed below */
    u64 start_code, end_code, start_data, end_data;
    u64 start_brk, brk;
    u64 start_stack, arg_start, arg_end, env_start, env_end;
    u64 auxv[MM_AUXV_WORDS]; /* as the program got it; AT_NULL ends it */
    u64 fault_address; /* the last fault that should not have been, and how often it came again */
    u32 fault_repeats;
    bool plain_text; /* call sites are not rewritten here */
    bool fixed;      /* constant; where things go does not depend on chance: ADDR_NO_RANDOMIZE */
    bool behind;     /* atomic: an object became smaller, and its pages are still mapped here */
};

/* Empty. fixed: with the same bases each time, else random ones. NULL: no memory. */
struct mm *mm_create(bool fixed);
static inline struct mm *mm_get(struct mm *mm)
{
    refcount_get(&mm->ref);
    return mm;
}
void mm_put(struct mm *mm);
DEFINE_AUTO(mm_put, struct mm *)

/*
 * fork: the caller holds mm_lock(old) from before the copy until target_space_fork() has been made, so that
 * tree and pages agree. The child calls mm_fork_child() before it enters the program.
 */
void mm_lock(struct mm *mm);
void mm_unlock(struct mm *mm);
struct mm *mm_fork_locked(struct mm *old);
void mm_fork_child(void);

/* ---- changes: addresses or negative errno -------------------------------------------------------- */

#define MM_MIN_ADDRESS 65536UL
#define MM_MAX_MAPS    65530U

/* flags: MAP_ of mmap(2), checked by the caller. may: VM_MAY bits that the file's mode allows. */
struct map_request {
    u64 addr, len;
    u32 prot;
    u64 flags;
    u64 may;
    struct vma_backing at; /* references are taken, not handed over */
};
s64 mm_map(const struct map_request *req);
int mm_unmap(u64 addr, u64 len);
int mm_protect(u64 addr, u64 len, u32 prot, bool grows_down);

/* madvise(2). Of another space than the caller's: only advice that is a mere hint there. */
int mm_advise(struct mm *mm, u64 addr, u64 len, int advice);
/* prctl(2), PR_SET_MDWE; -EPERM when something else is set already, for good. */
int mm_mdwe_set(u32 bits);
u32 mm_mdwe_inherited(const struct mm *mm); /* of a space that is made from this one (NULL: none) */

/* For exec, in the new space. Kernel pages from a window offset on, copied on write. */
s64 mm_map_kernel_pages(u64 addr, u64 len, u32 prot, u64 window_offset, const char *name);
s64 mm_map_anon_fixed(u64 addr, u64 len, u32 prot); /* for .bss: page-aligned */
s64 mm_find_free(u64 len);                          /* where a mapping without a hint would go */
/* The stack area; its highest address. Grows down to RLIMIT_STACK by faults. */
s64 mm_map_stack(bool executable);
u64 mm_pie_base(void);             /* a random load address of position-independent programs */
void mm_set_brk(u64 end_of_image); /* the break starts here, or a little above */

/* ---- faults ---------------------------------------------------------------------------------------- */

#define MM_FAULT_WRITE 2 /* bits of a page fault's error code */
#define MM_FAULT_FETCH 16

/*
 * A page fault of the program or of a copy from or to it. 0: try again; -EFAULT: *signo and *code say what it
 * is. host_signo: SIGSEGV or SIGBUS, what the target took it for. No lock may be held.
 */
int mm_fault(u64 address, u64 error, int host_signo, int *signo, int *code);
/* Lets the host touch the range: grows the stack, fills what files have grown. 0 or -EFAULT. */
int mm_prefault(u64 addr, u64 len, bool write);

/*
 * Touches the pages now: 0, -ENOMEM (a gap), -EFAULT. POPULATE_LIKELY (MAP_POPULATE, mlock): for writing where a
 * program will; what cannot be touched is passed over. The others stop there, and also: -EINVAL (not allowed), -EINTR.
 */
enum populate { POPULATE_LIKELY, POPULATE_READ, POPULATE_WRITE };
int mm_populate(u64 start, u64 end, enum populate how);

/*
 * A memory object that became smaller marks the spaces that map it. Each takes the pages behind the end out by
 * itself, when one of its threads calls this: on its way back to the program (PENDING_WORK).
 */
void mm_catch_up(void);

/* ---- looking --------------------------------------------------------------------------------------- */

/* For each mapping in order, under the lock; not 0 ends the loop and is returned. */
int mm_for_each_vma(struct mm *mm, int (*visit)(const struct vma *vma, void *arg), void *arg);
/* The mapping that holds the address; under the lock. */
struct vma *vma_find(struct mm *mm, u64 addr);

/* task/ makes the threads of a space call mm_catch_up(). Called with an object's lock held. */
extern void (*mm_notify)(struct mm *mm);
/* task/ tells the soft limit of a resource; NULL: unlimited. */
extern u64 (*mm_rlimit)(int resource);
/* task/ tells whether the caller's personality has READ_IMPLIES_EXEC. */
extern bool (*mm_read_implies_exec)(void);

#endif
