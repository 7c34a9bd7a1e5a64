/* tests/sequences/found.c: what fuzzers found, as short as it can be shown. */
#include "sequence.h"

static void make_file(void)
{
    mock_host_file("/file", 0644, "12345", 5);
}

static int opens_for_nothing(void *arg)
{
    int fd = (int)must(mock_call(__NR_open, mock_string("/file"), O_ACCMODE, 0));

    expect_equal(mock_call(__NR_read, fd, mock_room(8), 8), -EBADF);
    expect_equal(mock_call(__NR_write, fd, mock_room(8), 8), -EBADF);
    must(mock_call(__NR_close, fd));
    return 0;
}

static void a_host_file_is_opened_for_neither_reading_nor_writing(void **state)
{
    sequence_with(opens_for_nothing, (struct mock_options){.setup = make_file});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_file_is_opened_for_neither_reading_nor_writing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
