/*
 * kernel/fs/sysfs/mm.c: /sys/kernel/mm. What a program asks of huge pages is kept and shown, but the host decides
 * which pages become huge: so none is promised.
 */
#include "fs/sysfs/internal.h"

TEXT(enabled, "always madvise [never]")
TEXT(defrag, "always defer defer+madvise madvise [never]")
TEXT(shmem_enabled, "always within_size advise [never] deny force")
NUMBER(pmd_size, 2UL << 20)
NUMBER(none, 0)

static const struct pseudo_entry thp_entries[] = {
    VALUE("defrag", show_defrag),
    VALUE("enabled", show_enabled),
    VALUE("hpage_pmd_size", show_pmd_size),
    VALUE("shmem_enabled", show_shmem_enabled),
    {0},
};
static const struct pseudo_dir thp_dir = {.entries = thp_entries};

/* Huge pages that are set aside: there are none, and MAP_HUGETLB is refused. */
static const struct pseudo_entry pool_entries[] = {
    VALUE("free_hugepages", show_none),
    VALUE("nr_hugepages", show_none),
    VALUE("nr_hugepages_mempolicy", show_none),
    VALUE("nr_overcommit_hugepages", show_none),
    VALUE("resv_hugepages", show_none),
    VALUE("surplus_hugepages", show_none),
    {0},
};
static const struct pseudo_dir pool_dir = {.entries = pool_entries};
static const struct pseudo_entry pools_entries[] = {FOLDER("hugepages-2048kB", pool_dir), {0}};
static const struct pseudo_dir pools_dir = {.entries = pools_entries};

static const struct pseudo_entry mm_entries[] = {
    FOLDER("hugepages", pools_dir), FOLDER("transparent_hugepage", thp_dir), {0}};
const struct pseudo_dir sysfs_mm_dir = {.entries = mm_entries};
