/* tests/sequences/handles.c: files by their handles, and what the calls about mounts tell. */
#include "sequence.h"

#include <linux/mount.h>

#include "../../kernel/abi/newer.h"

#define NR_cachestat 451
#define NR_statmount 457
#define NR_listmount 458

struct handle {
    uint32_t bytes;
    int32_t type;
    uint32_t value[32];
};

static mock_user handle_of(const char *path)
{
    mock_user handle = mock_put(&(struct handle){.bytes = 128}, sizeof(struct handle));

    expect_equal(mock_call(__NR_name_to_handle_at, AT_FDCWD, mock_string(path), handle,
                           mock_room(sizeof(int)), 0),
                 0);
    return handle;
}

static long open_handle(mock_user handle, int flags)
{
    return mock_call(__NR_open_by_handle_at, AT_FDCWD, handle, flags);
}

static int use_handles(void *arg)
{
    expect_equal(mock_call(__NR_chdir, mock_string("/dev/shm")), 0);
    expect_equal(mock_call(__NR_mkdir, mock_string("a"), 0755), 0);
    expect_equal(mock_call(__NR_mkdir, mock_string("a/b"), 0755), 0);
    long fd = must(mock_call(__NR_open, mock_string("a/b/f"), O_RDWR | O_CREAT, 0644));
    mock_user folder = handle_of("a/b"), file = handle_of("a/b/f");

    expect_equal(mock_call(__NR_write, fd, mock_string("text"), 4), 4);
    expect_equal(mock_call(NR_cachestat, fd, mock_put(&(struct cachestat_range){0}, 16),
                           mock_room(sizeof(struct cachestat)), 0),
                 0);
    expect_equal(mock_call(__NR_unlink, mock_string("a/b/f")), 0);
    long again = must(open_handle(file, O_RDWR)); /* by no name: it has none left */
    expect_equal(mock_call(__NR_close, fd), 0);
    expect_equal(mock_call(__NR_close, again), 0);
    expect_equal(open_handle(file, O_RDWR), -ESTALE);
    expect_equal(mock_call(__NR_close, must(open_handle(folder, O_RDONLY))), 0);
    expect_equal(mock_call(__NR_rmdir, mock_string("a/b")), 0);
    expect_equal(open_handle(folder, O_RDONLY), -ESTALE);
    expect_equal(mock_call(__NR_rmdir, mock_string("a")), 0);
    return 0;
}

static void files_are_opened_by_handles(void **state)
{
    sequence(use_handles);
}

static int ask_about_mounts(void *arg)
{
    struct mnt_id_req req = {.size = MNT_ID_REQ_SIZE_VER0, .mnt_id = LSMT_ROOT};
    mock_user ids = mock_room(32 * sizeof(uint64_t)), answer = mock_room(4096);
    uint64_t found[32];

    long n = must(mock_call(NR_listmount, mock_put(&req, sizeof(req)), ids, 32, 0));
    mock_load(found, ids, (size_t)n * sizeof(*found));
    req.param = UINT64_MAX; /* all that can be told */
    for (long i = 0; i < n; i++) {
        req.mnt_id = found[i];
        expect_equal(mock_call(NR_statmount, mock_put(&req, sizeof(req)), answer, 4096, 0), 0);
        expect(mock_get(struct statmount, answer).mnt_id == found[i]);
    }
    return 0;
}

static void mounts_are_told_of(void **state)
{
    sequence(ask_about_mounts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_opened_by_handles),
        cmocka_unit_test(mounts_are_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
