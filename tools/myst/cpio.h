/* tools/myst/cpio.h: reading and writing cpio archives in the newc form, "070701" and "070702" of
 * cpio(5), as cpio(1) reads and writes it. Knows bytes only: no file is created here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CPIO_NAME_MAX  4095 /* bytes of a name or a link target, without NUL: PATH_MAX - 1 */
#define CPIO_ERROR_MAX 4352 /* a name and the words around it */
#define CPIO_BUFFER    65536

struct cpio_entry {
    uint32_t ino;
    uint32_t mode; /* type and permissions, as in struct stat */
    uint32_t uid, gid;
    uint32_t nlink;
    uint32_t mtime; /* seconds since 1970 */
    uint32_t size;  /* bytes of data that follow */
    uint32_t dev_major, dev_minor;
    uint32_t rdev_major, rdev_minor;
    uint32_t check; /* sum of the data bytes; has_check */
    bool has_check;
    char name[CPIO_NAME_MAX + 1]; /* "." or "a/b": no leading "/" or "./", no "." or ".." inside */
};

struct cpio_reader {
    int fd;
    uint64_t limit;  /* size of the archive; UINT64_MAX when it is not a regular file */
    uint64_t offset; /* of the next byte to be taken */
    uint32_t left;   /* data of the current entry that was not taken yet */
    uint32_t sum;    /* of the data taken so far */
    uint32_t check;  /* what sum must become */
    bool has_check;
    size_t start, end; /* what buffer holds of the archive, from offset on */
    unsigned char buffer[CPIO_BUFFER];
    char error[CPIO_ERROR_MAX]; /* why the last call failed */
};

struct cpio_writer {
    int fd;
    uint64_t offset; /* bytes of the archive so far */
    size_t used;
    unsigned char buffer[CPIO_BUFFER];
    char error[CPIO_ERROR_MAX];
};

/* fd is read from where it stands, which counts as the archive's start. */
void cpio_reader_init(struct cpio_reader *reader, int fd);

/* Goes to the next entry, over data that was not taken. Returns 1, 0 at the trailer, or a negative
 * errno: -EBADMSG for an archive that is wrong. */
int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry);

/* Takes up to size bytes of the current entry's data: the count, 0 at its end, or a negative errno.
 * A checksum is compared when the last byte is taken. */
ssize_t cpio_read_data(struct cpio_reader *reader, void *data, size_t size);

void cpio_writer_init(struct cpio_writer *writer, int fd);

/* Writes the header and name; entry->size bytes by cpio_write_data must follow, in any portions,
 * then cpio_write_pad. 0 or a negative errno. */
int cpio_write_entry(struct cpio_writer *writer, const struct cpio_entry *entry);
int cpio_write_data(struct cpio_writer *writer, const void *data, size_t size);
int cpio_write_pad(struct cpio_writer *writer);

/* Ends the archive and writes out what is buffered. */
int cpio_write_trailer(struct cpio_writer *writer);
