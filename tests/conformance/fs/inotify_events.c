/* inotify_events.c: the events of inotify(7): what happens to a file or folder, and what is told. */
#include "../lib/check.h"

#include <sys/inotify.h>

static int fd; /* the instance of the running case, nonblocking */

static char buffer[8192] __attribute__((aligned(8)));
static ssize_t filled, used;

static int watch(const char *path, uint32_t mask)
{
    used = filled = 0;
    fd = must(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    return must(inotify_add_watch(fd, path, mask));
}

/* The next event, or NULL when there is none. */
static struct inotify_event *next(void)
{
    if (used == filled) {
        used = filled = 0;
        ssize_t n = read(fd, buffer, sizeof buffer);
        if (n == -1 && errno == EAGAIN)
            return NULL;
        filled = must(n);
    }
    struct inotify_event *event = (void *)(buffer + used);
    used += (ssize_t)(sizeof *event + event->len);
    assert_true(used <= filled);
    return event;
}

static uint32_t expect(uint32_t mask, const char *name)
{
    struct inotify_event *event = next();

    if (!event)
        fail_msg("no event, expected 0x%x", mask);
    assert_int_equal(event->mask, mask);
    assert_string_equal(event->len ? event->name : "", name ? name : "");
    return event->cookie;
}

static void expect_no_more(void)
{
    struct inotify_event *event = next();

    if (event)
        fail_msg("unexpected event 0x%x", event->mask);
    must(close(fd));
}

/* covers: inotify_add_watch IN_CREATE IN_OPEN IN_MODIFY IN_CLOSE_WRITE IN_DELETE */
static void life_of_a_file_seen_from_its_folder(void **state)
{
    (void)state;
    watch(".", IN_ALL_EVENTS);
    make_file("f", "text");
    must(unlink("f"));
    expect(IN_CREATE, "f");
    expect(IN_OPEN, "f");
    expect(IN_MODIFY, "f");
    expect(IN_CLOSE_WRITE, "f");
    expect(IN_DELETE, "f");
    expect_no_more();
}

/* covers: inotify_add_watch IN_OPEN IN_ACCESS IN_CLOSE_NOWRITE */
static void reading_a_file(void **state)
{
    (void)state;
    make_file("f", "text");
    watch("f", IN_ALL_EVENTS);
    assert_file_text("f", "text");
    expect(IN_OPEN, NULL);
    expect(IN_ACCESS, NULL);
    expect(IN_CLOSE_NOWRITE, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_ATTRIB */
static void file_is_told_of_by_itself_and_by_its_folder(void **state)
{
    (void)state;
    make_file("f", NULL);
    int file = watch("f", IN_ATTRIB), folder = must(inotify_add_watch(fd, ".", IN_ATTRIB));
    must(chmod("f", 0600));
    bool by_file = false, by_folder = false;
    for (struct inotify_event *event; (event = next());) {
        assert_int_equal(event->mask, IN_ATTRIB);
        if (event->wd == file)
            by_file = event->len == 0;
        if (event->wd == folder)
            by_folder = event->len > 0 && strcmp(event->name, "f") == 0;
    }
    assert_true(by_file);
    assert_true(by_folder);
    must(close(fd));
}

/* covers: inotify_add_watch IN_ATTRIB */
static void attributes(void **state)
{
    (void)state;
    make_file("f", NULL);
    must(link("f", "g"));
    watch("f", IN_ATTRIB);
    must(chmod("f", 0600));
    expect(IN_ATTRIB, NULL);
    must(utimensat(AT_FDCWD, "f", NULL, 0));
    expect(IN_ATTRIB, NULL);
    must(chown("f", geteuid(), getegid()));
    expect(IN_ATTRIB, NULL);
    must(unlink("g")); /* the count of links */
    expect(IN_ATTRIB, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_MODIFY */
static void truncation(void **state)
{
    (void)state;
    make_file("f", "text");
    watch("f", IN_MODIFY);
    must(truncate("f", 1));
    expect(IN_MODIFY, NULL);
    must(close(must(open("f", O_WRONLY | O_TRUNC))));
    expect(IN_MODIFY, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_ISDIR IN_CREATE IN_DELETE IN_OPEN */
static void folders_are_marked(void **state)
{
    (void)state;
    watch(".", IN_CREATE | IN_DELETE | IN_OPEN);
    must(mkdir("d", 0755));
    expect(IN_CREATE | IN_ISDIR, "d");
    must(close(must(open("d", O_RDONLY))));
    expect(IN_OPEN | IN_ISDIR, "d");
    must(rmdir("d"));
    expect(IN_DELETE | IN_ISDIR, "d");
    expect_no_more();
}

/* covers: inotify_add_watch IN_CREATE */
static void other_kinds_of_files_are_created(void **state)
{
    (void)state;
    make_file("f", NULL);
    watch(".", IN_CREATE);
    must(symlink("f", "s"));
    expect(IN_CREATE, "s");
    must(link("f", "l"));
    expect(IN_CREATE, "l");
    must(mkfifo("p", 0644));
    expect(IN_CREATE, "p");
    expect_no_more();
}

/* covers: inotify_add_watch IN_MOVED_FROM IN_MOVED_TO */
static void renaming_gives_two_events_with_one_cookie(void **state)
{
    (void)state;
    make_file("a", NULL);
    must(mkdir("d", 0755));
    watch(".", IN_MOVE);
    must(rename("a", "b"));
    uint32_t from = expect(IN_MOVED_FROM, "a"), to = expect(IN_MOVED_TO, "b");
    assert_true(from != 0);
    assert_int_equal(from, to);
    must(rename("b", "c"));
    assert_int_not_equal(expect(IN_MOVED_FROM, "b"), from);
    expect(IN_MOVED_TO, "c");
    must(rename("c", "d/c")); /* out of what is watched */
    expect(IN_MOVED_FROM, "c");
    must(rename("d/c", "c"));
    expect(IN_MOVED_TO, "c");
    expect_no_more();
}

/* covers: inotify_add_watch IN_MOVE_SELF */
static void moved_file_is_told_itself(void **state)
{
    (void)state;
    make_file("a", NULL);
    watch("a", IN_ALL_EVENTS);
    must(rename("a", "b"));
    expect(IN_MOVE_SELF, NULL);
    must(chmod("b", 0600)); /* the watch goes with the file */
    expect(IN_ATTRIB, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_DELETE_SELF IN_IGNORED */
static void removed_file_is_told_and_its_watch_ends(void **state)
{
    (void)state;
    make_file("f", NULL);
    watch("f", IN_ALL_EVENTS);
    must(unlink("f"));
    expect(IN_ATTRIB, NULL);
    expect(IN_DELETE_SELF, NULL);
    expect(IN_IGNORED, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_DELETE_SELF */
static void open_file_is_removed_with_its_last_close(void **state)
{
    (void)state;
    make_file("f", NULL);
    int f = must(open("f", O_RDONLY));
    watch("f", IN_DELETE_SELF);
    must(unlink("f"));
    assert_null(next());
    must(close(f));
    expect(IN_DELETE_SELF, NULL);
    expect(IN_IGNORED, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_DELETE_SELF */
static void replaced_file_is_told(void **state)
{
    (void)state;
    make_file("old", NULL);
    make_file("new", NULL);
    watch("old", IN_DELETE_SELF);
    must(rename("new", "old"));
    expect(IN_DELETE_SELF, NULL);
    expect(IN_IGNORED, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch IN_DELETE_SELF IN_ISDIR */
static void removed_folder_is_told(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    watch("d", IN_ALL_EVENTS);
    must(rmdir("d"));
    struct inotify_event *event = next();
    assert_non_null(event);
    assert_int_equal(event->mask & ~(uint32_t)IN_ISDIR, IN_DELETE_SELF);
    expect(IN_IGNORED, NULL);
    expect_no_more();
}

/* covers: inotify_add_watch */
static void only_the_events_asked_for_are_told(void **state)
{
    (void)state;
    watch(".", IN_DELETE);
    make_file("f", "text");
    must(chmod("f", 0600));
    assert_null(next());
    must(unlink("f"));
    expect(IN_DELETE, "f");
    expect_no_more();
}

/* covers: inotify_add_watch */
static void folders_below_are_not_watched(void **state)
{
    (void)state;
    must(mkdir("d", 0755));
    watch(".", IN_ALL_EVENTS & ~IN_OPEN & ~IN_CLOSE & ~IN_ACCESS);
    make_file("d/f", "text");
    expect_no_more();
}

/* covers: inotify_add_watch IN_EXCL_UNLINK */
static void excl_unlink_flag_hides_what_has_no_name_any_more(void **state)
{
    (void)state;
    make_file("f", NULL);
    int f = must(open("f", O_WRONLY));
    watch(".", IN_MODIFY | IN_EXCL_UNLINK);
    assert_returns(write(f, "x", 1), 1);
    expect(IN_MODIFY, "f");
    must(unlink("f"));
    assert_returns(write(f, "x", 1), 1);
    assert_null(next());
    must(close(f));
    expect_no_more();
}

/* covers: inotify_add_watch */
static void changes_by_another_process_are_told(void **state)
{
    (void)state;
    watch(".", IN_CREATE);
    in_child(make_file("f", NULL));
    expect(IN_CREATE, "f");
    expect_no_more();
}

/* covers: inotify_add_watch */
static void failed_calls_are_not_told(void **state)
{
    (void)state;
    make_file("f", NULL);
    watch(".", IN_CREATE | IN_DELETE | IN_MOVE);
    assert_errno(mkdir("f", 0755), EEXIST);
    assert_errno(unlink("none"), ENOENT);
    assert_errno(rename("none", "x"), ENOENT);
    assert_errno(open("f", O_CREAT | O_EXCL | O_RDWR, 0644), EEXIST);
    expect_no_more();
}

/* covers: inotify_add_watch IN_Q_OVERFLOW */
static void queue_that_runs_over_says_so(void **state)
{
    (void)state;
    long limit = 0;
    FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
    bool overflow = false;

    if (!file || fscanf(file, "%ld", &limit) != 1 || limit > 20000)
        skip_because("the length of the queue is not known, or too long to fill");
    fclose(file);
    make_file("f", NULL);
    watch("f", IN_ATTRIB | IN_MODIFY);
    int f = must(open("f", O_WRONLY));
    for (long i = 0; i < limit / 2 + 10; i++) { /* alternating, so that they are not made one */
        must(fchmod(f, i % 2 ? 0600 : 0644));
        assert_returns(pwrite(f, "x", 1, 0), 1);
    }
    for (struct inotify_event *event; (event = next());) {
        if (event->mask & IN_Q_OVERFLOW) {
            overflow = true;
            assert_int_equal(event->wd, -1);
        }
    }
    assert_true(overflow);
    must(close(f));
    must(close(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        tempdir_test(life_of_a_file_seen_from_its_folder),
        tempdir_test(reading_a_file),
        tempdir_test(file_is_told_of_by_itself_and_by_its_folder),
        tempdir_test(attributes),
        tempdir_test(truncation),
        tempdir_test(folders_are_marked),
        tempdir_test(other_kinds_of_files_are_created),
        tempdir_test(renaming_gives_two_events_with_one_cookie),
        tempdir_test(moved_file_is_told_itself),
        tempdir_test(removed_file_is_told_and_its_watch_ends),
        tempdir_test(open_file_is_removed_with_its_last_close),
        tempdir_test(replaced_file_is_told),
        tempdir_test(removed_folder_is_told),
        tempdir_test(only_the_events_asked_for_are_told),
        tempdir_test(folders_below_are_not_watched),
        tempdir_test(excl_unlink_flag_hides_what_has_no_name_any_more),
        tempdir_test(changes_by_another_process_are_told),
        tempdir_test(failed_calls_are_not_told),
        tempdir_test(queue_that_runs_over_says_so),
    };

    return cmocka_run_group_tests_name("fs/inotify_events", tests, NULL, NULL);
}
