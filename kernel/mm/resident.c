/* kernel/mm/resident.c: how much of a space is in memory, for proc_pid_statm(5) and its kin. */
#include "mm/resident.h"

#include "base/string.h"
#include "host/mem.h"
#include "mm/alloc.h"
#include "mm/vma.h"

/* Of a mapping only so much is looked at: reservations of terabytes are hardly ever touched. */
#define LOOK_MAX (64UL << 30)

struct residence_list {
    struct host_residence *ranges;
    enum vma_kind *kinds;
    size_t n, room;
};

static int collect(const struct vma *vma, void *arg)
{
    struct residence_list *list = arg;

    if (list->n < list->room) {
        list->ranges[list->n] = residence_range(vma);
        list->kinds[list->n] = vma->at.kind;
    }
    list->n++;
    return 0;
}

struct host_residence residence_range(const struct vma *vma)
{
    bool looked_at = (vma->flags & VM_PROT) && vma->at.kind != VMA_KERNEL;

    return (struct host_residence){
        .addr = vma->start,
        .len = looked_at ? MIN(vma->end - vma->start, LOOK_MAX) : 0,
    };
}

static void add_up(const struct residence_list *list, struct mm_resident *out)
{
    for (size_t i = 0; i < list->n; i++) {
        out->anon += list->ranges[i].own;
        if (list->kinds[i] == VMA_HOST)
            out->file += list->ranges[i].shared;
        else
            out->shmem += list->ranges[i].shared;
    }
}

static void list_free(struct residence_list *list)
{
    kfree(list->ranges);
    kfree(list->kinds);
}

int mm_resident(struct mm *mm, struct target_space *space, struct mm_resident *out)
{
    struct residence_list list = {0};

    *out = (struct mm_resident){0};
    do {
        list_free(&list);
        list.room = list.n + 16;
        list.n = 0;
        list.ranges = kmalloc(list.room * sizeof(*list.ranges));
        list.kinds = kmalloc(list.room * sizeof(*list.kinds));
        if (!list.ranges || !list.kinds) {
            list_free(&list);
            return -ENOMEM;
        }
        mm_for_each_vma(mm, collect, &list);
    } while (list.n > list.room);

    int err = host_space_resident(space, list.ranges, list.n);

    add_up(&list, out);
    list_free(&list);
    mm_lock(mm);
    mm->highest_rss = out->peak = MAX(mm->highest_rss, mm_resident_sum(out));
    mm_unlock(mm);
    return err;
}
