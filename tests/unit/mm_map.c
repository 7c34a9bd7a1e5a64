/* tests/unit/mm_map.c: the tree of mappings and the host's pages, against one entry a page. */
#include "unit.h"

#include "fake_host.h"

#include "mm/memobj.h"
#include "mm/vma.h"

#include <linux/mman.h>
#include <signal.h>

#define MIB (1UL << 20)

long sys_mremap(unsigned long old_address, size_t old_size, size_t new_size, unsigned long flags,
                unsigned long new_address);
long sys_madvise(unsigned long addr, size_t length, int advice);

#define ADDR(page) (FAKE_USER + (u64)(page)*PAGE_SIZE)

/* What a page should be. */
struct model {
    bool mapped, shared, past_end;
    u32 prot;
    u64 offset; /* of shared ones, in the object */
};

static struct model model[FAKE_PAGES];
static struct memobj *object;
static u64 object_pages;

/* Takes a range away from everybody, without pages. */
static void block(u64 start, u64 end)
{
    struct vma *vma = vma_create();

    vma->start = start;
    vma->end = end;
    vma->at.kind = VMA_KERNEL;
    vma_insert(self()->mm, vma);
}

static int start_host(void **state)
{
    fake_host_start(64 * MIB);
    return 0;
}

static int start(void **state)
{
    memset(model, 0, sizeof model);
    memset(fake_pages, 0, sizeof fake_pages);
    self()->cred = &fake_cred;
    self()->mm = mm_create(false);
    /* Everything outside of what the fake host keeps is taken. */
    block(MM_MIN_ADDRESS, FAKE_USER);
    block(ADDR(FAKE_PAGES), MYST_USER_END);
    object = memobj_create();
    object_pages = 40;
    assert_int_equal(memobj_truncate(object, object_pages * PAGE_SIZE), 0);
    return 0;
}

static int stop(void **state)
{
    mm_put(self()->mm);
    assert_int_equal(memobj_writers(object), 0);
    memobj_put(object);
    return 0;
}

static void set_model(size_t first, size_t n, struct model to)
{
    for (size_t i = first; i < first + n; i++) {
        model[i] = to;
        model[i].past_end = to.shared && (to.offset >> PAGE_SHIFT) >= object_pages;
        to.offset += to.shared ? PAGE_SIZE : 0;
    }
}

static bool range_mapped(size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        if (!model[i].mapped)
            return false;
    }
    return true;
}

static s64 do_map(size_t page, size_t n, u32 prot, bool shared, u64 offset, u64 flags)
{
    struct map_request req = {
        .addr = ADDR(page),
        .len = n * PAGE_SIZE,
        .prot = prot,
        .flags = flags | (shared ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS),
        .may = VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC,
        .at = {.kind = shared ? VMA_MEMOBJ : VMA_ANON, .offset = offset},
    };

    req.at.obj = shared ? object : NULL;
    return mm_map(&req);
}

static int check_vma(const struct vma *vma, void *arg)
{
    size_t *next = arg;

    if (vma->at.kind == VMA_KERNEL)
        return 0;
    assert_true(vma->start < vma->end && vma->end <= ADDR(FAKE_PAGES));
    for (; ADDR(*next) < vma->start; (*next)++)
        assert_false(model[*next].mapped);
    for (; ADDR(*next) < vma->end; (*next)++) {
        const struct model *m = &model[*next];

        assert_true(m->mapped);
        assert_int_equal(vma->flags & VM_PROT, m->prot);
        assert_int_equal(!!(vma->flags & VM_SHARED), m->shared);
        if (m->shared)
            assert_int_equal(vma_offset(vma, ADDR(*next)), m->offset);
    }
    return 0;
}

/* Equal neighbours must have been joined, and gaps and counters be right. */
static void check_tree(struct mm *mm)
{
    struct vma *vma, *prev = NULL;
    u64 pages = 0, end = 0;
    u32 n = 0;

    rb_for_each_entry(vma, &mm->vmas, node) {
        assert_int_equal(vma->gap, vma->start - end);
        assert_true(vma->max_gap >= vma->gap);
        if (prev && prev->end == vma->start && prev->at.kind == VMA_ANON)
            assert_true(vma->at.kind != VMA_ANON || prev->flags != vma->flags);
        end = vma->end;
        prev = vma;
        pages += (vma->end - vma->start) >> PAGE_SHIFT;
        n++;
    }
    assert_int_equal(mm->map_count, n);
    assert_int_equal(mm->total_vm, pages);
}

static void check_all(void)
{
    size_t next = 0;

    mm_for_each_vma(self()->mm, check_vma, &next);
    for (; next < FAKE_PAGES; next++)
        assert_false(model[next].mapped);
    check_tree(self()->mm);
    for (size_t i = 0; i < FAKE_PAGES; i++) {
        u64 window, run;

        assert_int_equal(fake_pages[i].mapped, model[i].mapped);
        if (!model[i].mapped)
            continue;
        assert_int_equal(fake_pages[i].prot, model[i].past_end ? 0 : model[i].prot);
        if (model[i].shared && !model[i].past_end) {
            assert_int_equal(memobj_map(object, model[i].offset, PAGE_SIZE, true, &window, &run),
                             0);
            assert_int_equal(fake_pages[i].window, window);
        }
    }
}

static void step_remap(size_t page, size_t n)
{
    size_t to = random_below(FAKE_PAGES - n), len = 1 + random_below(n);
    long result = sys_mremap(ADDR(page), n * PAGE_SIZE, len * PAGE_SIZE,
                             MREMAP_MAYMOVE | MREMAP_FIXED, ADDR(to));

    if (to < page + n && page < to + len) {
        assert_int_equal(result, -EINVAL);
        return;
    }
    for (size_t i = 1; i < n; i++) {
        if (!model[page].mapped || !model[page + i].mapped ||
            model[page].prot != model[page + i].prot ||
            model[page].shared != model[page + i].shared ||
            (model[page].shared && model[page + i].offset != model[page].offset + i * PAGE_SIZE)) {
            assert_int_equal(result, -EFAULT);
            return;
        }
    }
    if (!model[page].mapped) {
        assert_int_equal(result, -EFAULT);
        return;
    }
    assert_int_equal(result, ADDR(to));
    struct model source = model[page];

    set_model(page, n, (struct model){0});
    set_model(to, len, source);
}

static void step_resize(size_t n)
{
    object_pages = n;
    assert_int_equal(memobj_truncate(object, n * PAGE_SIZE), 0);
    for (size_t i = 0; i < FAKE_PAGES; i++) {
        bool past = model[i].shared && model[i].offset >> PAGE_SHIFT >= object_pages;

        /* Growth is seen by a fault. */
        if (model[i].shared && model[i].past_end && !past) {
            int signo, code;

            if (fake_pages[i].prot == 0 && model[i].prot)
                assert_int_equal(mm_fault(ADDR(i), 0, SIGSEGV, &signo, &code), 0);
            else if (!model[i].prot)
                assert_int_equal(mm_prefault(ADDR(i), 1, false), -EFAULT);
        }
        model[i].past_end = past;
    }
}

static void step(void)
{
    size_t page = random_below(FAKE_PAGES), n = 1 + random_below(20), offset = random_below(50);
    u32 prot = (u32)random_below(4);
    int expect;

    n = MIN(n, FAKE_PAGES - page);
    switch (random_below(7)) {
    case 0:
        assert_int_equal(do_map(page, n, prot, false, 0, MAP_FIXED), ADDR(page));
        set_model(page, n, (struct model){.mapped = true, .prot = prot});
        break;
    case 1:
        /* Always readable: so that growth can be seen. */
        assert_int_equal(do_map(page, n, prot | PROT_READ, true, offset * PAGE_SIZE, MAP_FIXED),
                         ADDR(page));
        set_model(page, n,
                  (struct model){.mapped = true,
                                 .prot = prot | PROT_READ,
                                 .shared = true,
                                 .offset = offset * PAGE_SIZE});
        break;
    case 2:
        assert_int_equal(mm_unmap(ADDR(page), n * PAGE_SIZE), 0);
        set_model(page, n, (struct model){0});
        break;
    case 3:
        expect = range_mapped(page, n) ? 0 : -ENOMEM;
        assert_int_equal(mm_protect(ADDR(page), n * PAGE_SIZE, prot | PROT_READ, false), expect);
        for (size_t i = page; i < page + n && model[i].mapped; i++)
            model[i].prot = prot | PROT_READ;
        break;
    case 4:
        step_remap(page, n);
        break;
    case 5:
        step_resize(30 + random_below(40));
        break;
    case 6: {
        s64 addr = do_map(page, n, prot, false, 0, 0);

        if (addr == -ENOMEM)
            break;
        size_t got = ((u64)addr - FAKE_USER) >> PAGE_SHIFT;

        for (size_t i = got; i < got + n; i++)
            assert_false(model[i].mapped);
        set_model(got, n, (struct model){.mapped = true, .prot = prot});
        break;
    }
    }
}

static void random_changes_match_a_page_table(void **state)
{
    random_start();
    for (int i = 0; i < 20000; i++) {
        step();
        check_all();
    }
}

static void faults_name_their_signal(void **state)
{
    int signo, code;

    assert_int_equal(do_map(0, 2, PROT_READ, false, 0, MAP_FIXED), ADDR(0));
    assert_int_equal(mm_fault(ADDR(0), MM_FAULT_WRITE, SIGSEGV, &signo, &code), -EFAULT);
    assert_int_equal(signo, SIGSEGV);
    assert_int_equal(code, SEGV_ACCERR);
    assert_int_equal(mm_fault(ADDR(5), 0, SIGSEGV, &signo, &code), -EFAULT);
    assert_int_equal(signo, SIGSEGV);
    assert_int_equal(code, SEGV_MAPERR);
    assert_int_equal(do_map(10, 50, PROT_READ, true, 0, MAP_FIXED), ADDR(10));
    assert_int_equal(mm_fault(ADDR(50), 0, SIGSEGV, &signo, &code), -EFAULT);
    assert_int_equal(signo, SIGBUS);
    assert_int_equal(code, BUS_ADRERR);
    assert_int_equal(mm_fault(ADDR(10), 0, SIGSEGV, &signo, &code), 0);
}

static void forked_spaces_keep_what_they_should(void **state)
{
    struct mm *parent = self()->mm;

    assert_int_equal(do_map(0, 4, PROT_READ | PROT_WRITE, false, 0, MAP_FIXED), ADDR(0));
    assert_int_equal(do_map(4, 4, PROT_READ, true, 0, MAP_FIXED), ADDR(4));
    assert_int_equal(sys_madvise(ADDR(1), PAGE_SIZE, MADV_DONTFORK), 0);
    assert_int_equal(sys_madvise(ADDR(2), PAGE_SIZE, MADV_WIPEONFORK), 0);
    assert_int_equal(parent->map_count, 5 + 2);
    mm_lock(parent);
    struct mm *child = mm_fork_locked(parent);
    mm_unlock(parent);
    assert_int_equal(memobj_writers(object), 2);
    self()->mm = child;
    u64 wiped = fake_pages[2].id, kept = fake_pages[0].id;

    mm_fork_child();
    assert_int_equal(child->map_count, 4 + 2);
    assert_false(fake_pages[1].mapped);
    assert_true(fake_pages[2].id != wiped && fake_pages[0].id == kept);
    mm_put(child);
    self()->mm = parent;
    assert_int_equal(memobj_writers(object), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(random_changes_match_a_page_table, start, stop),
        cmocka_unit_test_setup_teardown(faults_name_their_signal, start, stop),
        cmocka_unit_test_setup_teardown(forked_spaces_keep_what_they_should, start, stop),
    };

    return cmocka_run_group_tests(tests, start_host, NULL);
}
