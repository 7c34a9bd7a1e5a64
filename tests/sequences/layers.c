/*
 * tests/sequences/layers.c: an overlay whose lower layer has what the host's directories have not: extended attributes.
 * No option of the launcher makes one, so the kernel is asked directly.
 */
#include "sequence.h"

int layers_mount(const char *lower, const char *target); /* kernel/layers.c */

#define LAYER "/lower"
#define SHOWN "/shown"

static void make_directories(void)
{
    mock_host_dir(LAYER, 0755);
    mock_host_dir(SHOWN, 0755);
}

static void expect_attribute(const char *path)
{
    mock_user room = mock_room(16);

    expect_equal(mock_call(__NR_getxattr, mock_string(path), mock_string("user.color"), room, 16),
                 4);
    expect_equal(mock_get(char, room), 'b');
}

static int copy_up_attributes(void *arg)
{
    mock_user layer = mock_string(LAYER), file = mock_string(LAYER "/file");

    must(mock_call(__NR_mount, mock_string("none"), layer, mock_string("tmpfs"), 0, 0));
    must(mock_call(__NR_close, must(mock_call(__NR_open, file, O_CREAT | O_WRONLY, 0644))));
    must(mock_call(__NR_setxattr, file, mock_string("user.color"), mock_string("blue"), 4, 0));
    must(mock_call(__NR_setxattr, file, mock_string("user.empty"), 0, 0, 0));
    must(layers_mount(LAYER, SHOWN));
    expect_attribute(SHOWN "/file");
    must(mock_call(__NR_chmod, mock_string(SHOWN "/file"), 0600));
    expect_attribute(SHOWN "/file");
    must(mock_call(__NR_setxattr, mock_string(SHOWN "/file"), mock_string("user.color"),
                   mock_string("red"), 3, 0));
    expect_attribute(LAYER "/file");
    must(mock_call(__NR_umount2, mock_string(SHOWN), 0));
    must(mock_call(__NR_umount2, mock_string(LAYER), 0));
    return 0;
}

static void attributes_of_a_lower_file_are_copied_up(void **state)
{
    sequence_with(copy_up_attributes, (struct mock_options){.setup = make_directories});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_of_a_lower_file_are_copied_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
