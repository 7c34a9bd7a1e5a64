/* tests/sequences/names.c: long names, attributes, copies from the layer below, files of the host, programs by name. */
#include "sequence.h"

#include <elf.h>
#include <sched.h>
#include <sys/uio.h>

#define TEN   "0123456789"
#define LONG  TEN TEN TEN TEN TEN TEN
#define OTHER "another " LONG

static void close_file(long fd)
{
    expect_equal(mock_call(__NR_close, fd), 0);
}

static long open_file(const char *path, int flags)
{
    return must(mock_call(__NR_open, mock_string(path), flags, 0644));
}

static void make_work(void)
{
    static char bytes[3 * 65536];

    mock_host_dir("/work", 0755);
    mock_host_file("/lower/file", 0644, "from the host", 13);
    mock_host_file("/lower/large", 0644, bytes, sizeof(bytes));
    mock_host_link("/lower/link", "file");
}

/* --- names ------------------------------------------------------------------------------------------------- */

static int long_names(void *arg)
{
    char path[600];

    strcpy(path, "/dev/shm");
    for (int i = 0; i < 200; i++)
        strcat(path, "/.");
    strcat(path, "/" LONG);
    close_file(open_file(path, O_CREAT | O_WRONLY));
    expect_equal(mock_call(__NR_rename, mock_string(path), mock_string("/dev/shm/" OTHER)), 0);
    close_file(open_file("/dev/shm/" LONG, O_CREAT | O_WRONLY));
    expect_equal(mock_call(__NR_renameat2, AT_FDCWD, mock_string("/dev/shm/" LONG), AT_FDCWD,
                           mock_string("/dev/shm/" OTHER), 2 /* RENAME_EXCHANGE */),
                 0);
    expect_equal(
        mock_call(__NR_rename, mock_string("/dev/shm/" LONG), mock_string("/dev/shm/" OTHER)), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("/dev/shm/" OTHER)), 0);
    return 0;
}

static void long_names_are_given_back(void **state)
{
    sequence(long_names);
}

static int attributes(void *arg)
{
    mock_user path = mock_string("/dev/shm/a"), name = mock_string("user.name");
    mock_user value = mock_room(512);

    close_file(open_file("/dev/shm/a", O_CREAT | O_WRONLY));
    expect_equal(mock_call(__NR_setxattr, path, name, value, 300, 0), 0);
    expect_equal(mock_call(__NR_setxattr, path, name, value, 200, 0), 0);
    expect_equal(mock_call(__NR_getxattr, path, name, value, 512), 200);
    expect_equal(mock_call(__NR_listxattr, path, value, 512), 10);
    expect_equal(mock_call(__NR_unlink, path), 0);
    return 0;
}

static void attributes_go_with_their_file(void **state)
{
    sequence(attributes);
}

static int small_writes(void *arg)
{
    long fd = open_file("/proc/self/comm", O_WRONLY), out;

    expect_equal(mock_call(__NR_write, fd, mock_string("name"), 4), 4);
    close_file(fd);
    fd = open_file("/proc/self/status", O_RDONLY);
    out = open_file("/dev/shm/status", O_CREAT | O_WRONLY);
    expect(must(mock_call(__NR_sendfile, out, fd, 0, 4096)) > 100);
    close_file(out);
    out = open_file("/dev/shm/status", O_APPEND | O_WRONLY);
    expect_equal(mock_call(__NR_write, out, mock_string("end"), 3), 3);
    close_file(out);
    close_file(fd);
    fd = open_file("/proc/1/maps", O_RDONLY);
    mock_call(__NR_read, fd, mock_room(16), 16); /* it has no memory */
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string("/dev/shm/status")), 0);
    return 0;
}

static void small_files_are_written(void **state)
{
    sequence(small_writes);
}

/* --- layers ------------------------------------------------------------------------------------------------- */

/* Each time the same: what was copied up stays. */
static int copy_up(void *arg)
{
    long before = open_file("/lower/file", O_RDONLY), fd;
    mock_user room = mock_room(16);

    expect_equal(
        mock_call(__NR_fchownat, AT_FDCWD, mock_string("/lower/link"), 1, 1, AT_SYMLINK_NOFOLLOW),
        0);
    fd = open_file("/lower/large", O_RDWR);
    expect_equal(mock_call(__NR_pwrite64, fd, mock_string("x"), 1, 100000), 1);
    close_file(fd);
    fd = open_file("/lower/file", O_RDWR);
    expect_equal(mock_call(__NR_pwrite64, fd, mock_string("F"), 1, 0), 1);
    close_file(fd);
    expect_equal(mock_call(__NR_read, before, room, 16), 13);
    expect(mock_get(char, room) == 'F');
    close_file(before);
    return 0;
}

static void what_is_below_is_copied_up(void **state)
{
    sequence_with(copy_up, (struct mock_options){.setup = make_work});
}

static int exchange(void *arg)
{
    mock_user a = mock_string("/work/a"), b = mock_string("/work/b");

    close_file(open_file("/work/a", O_CREAT | O_WRONLY));
    close_file(open_file("/work/b", O_CREAT | O_WRONLY));
    expect_equal(mock_call(__NR_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */), 0);
    expect_equal(mock_call(__NR_unlink, a), 0);
    expect_equal(mock_call(__NR_unlink, b), 0);
    return 0;
}

static void names_are_exchanged(void **state)
{
    sequence_with(exchange, (struct mock_options){.setup = make_work});
    sequence_with(exchange, (struct mock_options){.setup = make_work, .writable = true});
}

/* --- files of the host ---------------------------------------------------------------------------------------- */

#define PAGES (4UL << 20) /* more than is filled at once */

static int host_files(void *arg)
{
    long fd = open_file("/work/shared", O_CREAT | O_RDWR), backed, log;
    mock_user at, lazy;

    /* shared between the program and the host's file */
    expect_equal(mock_call(__NR_ftruncate, fd, 3 * 4096), 0);
    at = (mock_user)must(
        mock_call(__NR_mmap, 0, 5 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    mock_store(at + 4096, "word", 4);
    expect_equal(mock_call(__NR_msync, at, 3 * 4096, MS_SYNC), 0);
    expect_equal(mock_call(__NR_pread64, fd, mock_room(8), 4, 4096), 4);
    expect_equal(mock_call(__NR_ftruncate, fd, 5 * 4096), 0);
    mock_store(at + 4 * 4096, "word", 4);

    /* memory that is not there yet when the host shall fill it, or read it */
    backed = must(mock_call(__NR_memfd_create, mock_string("backed"), 0));
    expect_equal(mock_call(__NR_ftruncate, backed, PAGES), 0);
    lazy = (mock_user)must(
        mock_call(__NR_mmap, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, backed, 0));
    expect_equal(mock_call(__NR_pread64, fd, lazy + PAGES - 8192, 100, 0), 100);
    expect_equal(mock_call(__NR_munmap, lazy, PAGES), 0);
    lazy = (mock_user)must(
        mock_call(__NR_mmap, 0, PAGES, PROT_READ | PROT_WRITE, MAP_SHARED, backed, 0));
    expect_equal(mock_call(__NR_pwrite64, fd, lazy + PAGES - 8192, 100, 0), 100);
    expect_equal(mock_call(__NR_munmap, lazy, PAGES), 0);
    log = open_file("/work/log", O_CREAT | O_WRONLY | O_APPEND);
    expect_equal(mock_call(__NR_write, log, mock_string("line"), 4), 4);
    close_file(log);
    expect_equal(mock_call(__NR_ftruncate, fd, 2 * 4096 + 100), 0); /* within a mapped page */
    expect_equal(mock_call(__NR_munmap, at, 5 * 4096), 0);
    close_file(backed);
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string("/work/shared")), 0);
    expect_equal(mock_call(__NR_unlink, mock_string("/work/log")), 0);
    return 0;
}

static void host_files_are_shared(void **state)
{
    sequence_with(host_files, (struct mock_options){.setup = make_work, .writable = true});
}

/* What a file has grown by since it was mapped is there for the program, and not yet for the host. */
static mock_user grown_mapping(void)
{
    long fd = must(mock_call(__NR_memfd_create, mock_string("grown"), 0));
    mock_user at;

    must(mock_call(__NR_ftruncate, fd, 4096));
    at = (mock_user)must(
        mock_call(__NR_mmap, 0, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    must(mock_call(__NR_ftruncate, fd, 2 * 4096));
    close_file(fd);
    return at;
}

static int memory_that_the_host_lacks(void *arg)
{
    long fd = open_file("/work/lacks", O_CREAT | O_RDWR);
    mock_user into = grown_mapping(), from = grown_mapping();

    expect_equal(mock_call(__NR_write, fd, mock_string("hello"), 5), 5);
    expect_equal(mock_call(__NR_pread64, fd, into + 4096, 5, 0), 5);
    expect_equal(mock_get(char, into + 4096), 'h');
    expect_equal(mock_call(__NR_pwrite64, fd, from + 4096, 5, 0), 5);
    expect_equal(mock_call(__NR_pread64, fd, into, 5, 0), 5);
    expect_equal(mock_get(char, into), 0);
    expect_equal(mock_call(__NR_munmap, into, 2 * 4096), 0);
    expect_equal(mock_call(__NR_munmap, from, 2 * 4096), 0);
    close_file(fd);
    expect_equal(mock_call(__NR_unlink, mock_string("/work/lacks")), 0);
    return 0;
}

static void the_host_reads_into_memory_that_it_lacks(void **state)
{
    sequence_with(memory_that_the_host_lacks,
                  (struct mock_options){.setup = make_work, .writable = true});
}

/* --- memory --------------------------------------------------------------------------------------------------- */

static mock_user stack_start(void)
{
    static __thread char text[4096];
    long fd = open_file("/proc/self/maps", O_RDONLY), n;
    mock_user room = mock_room(4096);
    char *line;

    n = must(mock_call(__NR_read, fd, room, 4095));
    mock_load(text, room, (size_t)n);
    text[n] = 0;
    close_file(fd);
    line = strstr(text, "[stack]");
    expect(line != NULL);
    while (line > text && line[-1] != '\n')
        line--;
    return strtoul(line, NULL, 16);
}

static int grow(void *arg)
{
    mock_user start = stack_start(), at, moved;
    long fd = must(mock_call(__NR_memfd_create, mock_string("short"), 0));

    mock_store(start - 100, "deeper", 6);
    expect_equal(mock_call(__NR_ftruncate, fd, 100), 0);
    at = (mock_user)must(
        mock_call(__NR_mmap, 0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    expect_equal(mock_call(__NR_munmap, at + 3 * 4096, 4096), 0);
    moved = (mock_user)must(mock_call(__NR_mremap, at, 3 * 4096, 4 * 4096, MREMAP_MAYMOVE, 0));
    moved = (mock_user)must(mock_call(__NR_mremap, moved, 4 * 4096, 64 * 4096, MREMAP_MAYMOVE, 0));
    expect_equal(mock_call(__NR_munmap, moved, 64 * 4096), 0);

    /* what lies behind the file's end is moved, and grows, without pages */
    at = (mock_user)must(
        mock_call(__NR_mmap, 0, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0));
    expect_equal(mock_call(__NR_munmap, at + 3 * 4096, 4096), 0);
    must(mock_call(__NR_mmap, at + 3 * 4096, 4096, PROT_NONE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0)); /* in the way */
    moved = (mock_user)must(mock_call(__NR_mremap, at, 3 * 4096, 8 * 4096, MREMAP_MAYMOVE, 0));
    expect(moved != at);
    expect_equal(mock_call(__NR_munmap, moved, 8 * 4096), 0);
    expect_equal(mock_call(__NR_munmap, at + 3 * 4096, 4096), 0);
    close_file(fd);
    return 0;
}

static int grow_in_child(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(grow, NULL))), 0);
    return 0;
}

static void mappings_grow(void **state)
{
    sequence(grow_in_child);
}

/* --- archives ------------------------------------------------------------------------------------------------- */

static char archive[4096];

/* cpio(5), "New ASCII Format". The number of the inode tells which names are one file. */
static size_t archive_add(size_t at, const char *name, int inode, int mode, int links,
                          const char *text)
{
    at += (size_t)sprintf(archive + at,
                          "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", inode, mode,
                          0, 0, links, 0, (int)strlen(text), 0, 0, 0, 0, (int)strlen(name) + 1, 0);
    strcpy(archive + at, name);
    at = (at + strlen(name) + 1 + 3) & ~3UL;
    strcpy(archive + at, text);
    return (at + strlen(text) + 3) & ~3UL;
}

static void make_archive(void)
{
    size_t at = archive_add(0, "dir", 1, S_IFDIR | 0755, 2, "");

    at = archive_add(at, "dir/file", 2, S_IFREG | 0644, 2, "");
    at = archive_add(at, "dir/same", 2, S_IFREG | 0644, 2, "text");
    at = archive_add(at, "TRAILER!!!", 0, 0, 1, "");
    mock_host_file("/archive", 0644, archive, at);
}

static int look_into_archive(void *arg)
{
    mock_user st = mock_room(sizeof(struct stat));

    expect_equal(mock_call(__NR_stat, mock_string("/mnt/archive/dir/file"), st), 0);
    expect_equal(mock_get(struct stat, st).st_nlink, 2);
    expect_equal(mock_get(struct stat, st).st_size, 4);
    return 0;
}

static void an_archive_is_unpacked(void **state)
{
    sequence_with(look_into_archive,
                  (struct mock_options){.setup = make_archive,
                                        .mounts = {{"/archive", "/mnt/archive", "cpio", ""}}});
}

/* --- programs -------------------------------------------------------------------------------------------------- */

static int seven(void *arg)
{
    return 7;
}

static void make_interpreted(void)
{
    static char image[MOCK_IMAGE_SIZE];
    Elf64_Ehdr *header = (void *)image;
    Elf64_Phdr *segments = (void *)(header + 1);

    memcpy(image, mock_image(seven, NULL), sizeof(image));
    header->e_phnum = 2;
    segments[1] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 3000, .p_filesz = 9};
    strcpy(image + 3000, "/bin/not");
    mock_host_file("/bin/interpreted", 0755, image, sizeof(image));
}

static void make_programs(void)
{
    make_interpreted();
    mock_host_program("/bin/seven", seven, NULL);
    mock_host_file("/bin/script", 0755, "#!/bin/seven with\n", 18);
}

static int execute_script(void *arg)
{
    const char *argv[] = {"script", "one", "two", NULL}, *envp[] = {NULL};

    mock_call(__NR_execve, mock_string("/bin/script"), mock_strings(argv), mock_strings(envp));
    return 1;
}

static int execute_descriptor(void *arg)
{
    const char *argv[] = {"seven", NULL}, *envp[] = {NULL};
    long fd = open_file("/bin/seven", O_RDONLY);

    mock_call(__NR_execveat, fd, mock_string(""), mock_strings(argv), mock_strings(envp),
              AT_EMPTY_PATH);
    return 1;
}

/* The same program with an interpreter's name behind its code: not one that is there. */
static int execute_interpreted(void *arg)
{
    const char *argv[] = {"interpreted", NULL}, *envp[] = {NULL};

    expect_equal(mock_call(__NR_execve, mock_string("/bin/interpreted"), mock_strings(argv),
                           mock_strings(envp)),
                 -ENOENT);
    return 7;
}

static int programs(void *arg)
{
    expect_equal(mock_wait(must(mock_fork(execute_interpreted, NULL))), 7 << 8);
    expect_equal(mock_wait(must(mock_fork(execute_script, NULL))), 7 << 8);
    expect_equal(mock_wait(must(mock_fork(execute_descriptor, NULL))), 7 << 8);
    return 0;
}

static void programs_have_other_names(void **state)
{
    sequence_with(programs, (struct mock_options){.setup = make_programs});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_names_are_given_back),
        cmocka_unit_test(attributes_go_with_their_file),
        cmocka_unit_test(small_files_are_written),
        cmocka_unit_test(what_is_below_is_copied_up),
        cmocka_unit_test(names_are_exchanged),
        cmocka_unit_test(host_files_are_shared),
        cmocka_unit_test(the_host_reads_into_memory_that_it_lacks),
        cmocka_unit_test(mappings_grow),
        cmocka_unit_test(an_archive_is_unpacked),
        cmocka_unit_test(programs_have_other_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
