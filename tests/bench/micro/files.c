/* tests/bench/micro/files.c: files, names and folders. */
#include "micro.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define DEPTH 7 /* below the scratch folder, which is the third name of its path */

static void cached_read(long n, long size)
{
    static char buffer[65536];
    const char *path = scratch_path("file");
    int fd = (int)must(open(path, O_CREAT | O_RDWR, 0600), path);

    must(unlink(path), "unlink");
    must(write(fd, buffer, (size_t)size), "write");
    timing_starts();
    while (n--)
        must(pread(fd, buffer, (size_t)size, 0), "pread");
    timing_ends();
    close(fd);
}

static void open_close(long n, long size)
{
    timing_starts();
    while (n--)
        close((int)must(open("/etc/passwd", O_RDONLY), "open"));
    timing_ends();
}

/* Makes (or removes) a chain of folders, and says the path of the last. */
static const char *chain(int depth, int (*each)(const char *path))
{
    static char path[256];

    snprintf(path, sizeof path, "%s", scratch());
    for (int i = 0; i < depth; i++) {
        strcat(path, "/d");
        if (each)
            must(each(path), path);
    }
    return path;
}

static int make_one(const char *path)
{
    return mkdir(path, 0700);
}

static void stat_near(long n, long size)
{
    struct stat st;

    timing_starts();
    while (n--)
        must(stat("/usr", &st), "stat");
    timing_ends();
}

static void stat_deep(long n, long size)
{
    const char *path = chain(DEPTH, make_one);
    struct stat st;

    timing_starts();
    while (n--)
        must(stat(path, &st), path);
    timing_ends();
    for (int depth = DEPTH; depth; depth--)
        must(rmdir(chain(depth, NULL)), "rmdir");
}

static void create_unlink(long n, long size)
{
    const char *path = scratch_path("file");

    timing_starts();
    while (n--) {
        close((int)must(open(path, O_CREAT | O_RDWR, 0600), path));
        must(unlink(path), path);
    }
    timing_ends();
}

static void read_folder(long n, long size)
{
    static char buffer[32768];
    const char *path = scratch_path("many");
    char name[32];

    must(mkdir(path, 0700), path);
    int fd = (int)must(open(path, O_RDONLY | O_DIRECTORY), path);
    for (long i = 0; i < size; i++) {
        snprintf(name, sizeof name, "entry-%ld", i);
        close((int)must(openat(fd, name, O_CREAT | O_WRONLY, 0600), name));
    }
    timing_starts();
    while (n--) {
        must(lseek(fd, 0, SEEK_SET), "lseek");
        while (must(syscall(SYS_getdents64, fd, buffer, sizeof buffer), "getdents64") > 0)
            ;
    }
    timing_ends();
    for (long i = 0; i < size; i++) {
        snprintf(name, sizeof name, "entry-%ld", i);
        must(unlinkat(fd, name, 0), name);
    }
    close(fd);
    must(rmdir(path), path);
}

const struct bench bench_files[] = {
    {"pread_1", cached_read, 1, 0},          {"pread_64k", cached_read, 65536, 0},
    {"open_close", open_close, 0, 0},        {"stat_depth_1", stat_near, 0, 0},
    {"stat_depth_10", stat_deep, 0, 0},      {"create_unlink", create_unlink, 0, 0},
    {"getdents_1000", read_folder, 1000, 0}, {0},
};
