/* tools/myst/rootfs.c: opens a root file system on the host and reads single files of it. */
#include "rootfs.h"
#include "cpio.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FILE_MAX (16u << 20) /* bytes of an etc/passwd that anyone would keep */

static int refuse(int fd, char *reason, size_t size, const char *text)
{
    snprintf(reason, size, "%s", text);
    if (fd >= 0)
        close(fd);
    return -1;
}

/* Reads the archive through; 0, or -1 with the reason. */
static int archive_check(int fd, char *reason, size_t size)
{
    struct cpio_reader *reader = must_alloc(sizeof *reader);
    struct cpio_entry *entry = must_alloc(sizeof *entry);
    int got;

    cpio_reader_init(reader, fd);
    while ((got = cpio_next(reader, entry)) > 0)
        continue;
    if (got < 0)
        snprintf(reason, size, "%s", reader->error);
    free(entry);
    free(reader);
    return got;
}

int rootfs_open(const char *path, enum rootfs_kind *kind, char *reason, size_t size)
{
    struct stat st;

    /* O_NONBLOCK: a FIFO in place of an archive must not stop us. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return refuse(fd, reason, size, strerror(errno));
    if (S_ISDIR(st.st_mode)) {
        *kind = ROOTFS_DIRECTORY;
        return fd;
    }
    if (!S_ISREG(st.st_mode))
        return refuse(fd, reason, size, "neither a directory nor an archive");
    if (archive_check(fd, reason, size) < 0) {
        close(fd);
        return -1;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        return refuse(fd, reason, size, strerror(errno));
    *kind = ROOTFS_CPIO;
    return fd;
}

static char *directory_read(int root, const char *path)
{
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd < 0)
        return NULL;

    char *text = must_alloc(FILE_MAX + 1);
    size_t length = 0;
    ssize_t got;
    while ((got = read(fd, text + length, FILE_MAX + 1 - length)) > 0)
        length += (size_t)got;
    int err = got < 0 ? errno : length > FILE_MAX ? EFBIG : 0;
    close(fd);
    if (err) {
        free(text);
        errno = err;
        return NULL;
    }
    text[length] = '\0';
    return text;
}

/* The data of the entry that the reader stands at. */
static char *entry_read(struct cpio_reader *reader, const struct cpio_entry *entry)
{
    size_t length = 0;
    ssize_t got;

    if (entry->size > FILE_MAX) {
        errno = EFBIG;
        return NULL;
    }
    char *text = must_alloc((size_t)entry->size + 1);
    while ((got = cpio_read_data(reader, text + length, entry->size - length)) > 0)
        length += (size_t)got;
    if (got < 0) {
        free(text);
        errno = (int)-got;
        return NULL;
    }
    return text;
}

static char *archive_read(int fd, const char *path)
{
    struct cpio_reader *reader = must_alloc(sizeof *reader);
    struct cpio_entry *entry = must_alloc(sizeof *entry);
    char *text = NULL;
    int err = ENOENT;

    /* The last entry of a name is the one that an unpacked tree would have. */
    cpio_reader_init(reader, fd);
    while (cpio_next(reader, entry) > 0) {
        if (!S_ISREG(entry->mode) || strcmp(entry->name, path) != 0)
            continue;
        free(text);
        text = entry_read(reader, entry);
        err = errno;
    }
    if (lseek(fd, 0, SEEK_SET) < 0)
        err = errno;
    free(entry);
    free(reader);
    errno = err;
    return text;
}

char *rootfs_read(int fd, enum rootfs_kind kind, const char *path)
{
    return kind == ROOTFS_DIRECTORY ? directory_read(fd, path) : archive_read(fd, path);
}
