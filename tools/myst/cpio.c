/* tools/myst/cpio.c: the newc form of cpio(5), byte by byte. */
#include "cpio.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER_SIZE 110 /* six bytes of magic and thirteen numbers of eight hexadecimal digits */
#define DIGITS      8
#define NUMBERS     13
#define ALIGNMENT   4   /* of names and data, from the start of the archive */
#define BLOCK       512 /* cpio(1) fills the archive up to a multiple of this */

static const char trailer_name[] = "TRAILER!!!";

static int fail(char *error, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(char *error, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, CPIO_ERROR_MAX, format, args);
    va_end(args);
    return -err;
}

static uint32_t padding(uint64_t offset, uint32_t alignment)
{
    return (uint32_t)(-offset & (alignment - 1));
}

/* ---- reading ---- */

void cpio_reader_init(struct cpio_reader *reader, int fd)
{
    struct stat st;
    off_t start;

    memset(reader, 0, offsetof(struct cpio_reader, buffer));
    reader->error[0] = '\0';
    reader->fd = fd;
    reader->limit = UINT64_MAX;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (start = lseek(fd, 0, SEEK_CUR)) >= 0)
        reader->limit = st.st_size > start ? (uint64_t)(st.st_size - start) : 0;
}

/* Fills the empty buffer; 0 at the end of the file. */
static int refill(struct cpio_reader *reader)
{
    ssize_t got;

    do {
        got = read(reader->fd, reader->buffer, sizeof reader->buffer);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail(reader->error, errno, "%s", strerror(errno));
    reader->start = 0;
    reader->end = (size_t)got;
    return got > 0;
}

/* Takes exactly size bytes; data may be NULL to skip them. */
static int take(struct cpio_reader *reader, void *data, uint64_t size, const char *what)
{
    unsigned char *out = data;

    while (size > 0) {
        if (reader->start == reader->end) {
            int got = refill(reader);
            if (got < 0)
                return got;
            if (got == 0)
                return fail(reader->error, EBADMSG, "the archive ends inside %s", what);
        }
        size_t part = reader->end - reader->start;
        if (part > size)
            part = (size_t)size;
        if (out) {
            memcpy(out, reader->buffer + reader->start, part);
            out += part;
        }
        reader->start += part;
        reader->offset += part;
        size -= part;
    }
    return 0;
}

/* Passes over size bytes, which lie inside the archive as far as its size is known. */
static int skip(struct cpio_reader *reader, uint64_t size, const char *what)
{
    size_t buffered = reader->end - reader->start;

    /* Seeking is for large files in regular archives; a pipe must be read. */
    if (size > buffered && size - buffered > sizeof reader->buffer && reader->limit != UINT64_MAX) {
        uint64_t beyond = size - buffered;
        if (lseek(reader->fd, (off_t)beyond, SEEK_CUR) < 0)
            return fail(reader->error, errno, "%s", strerror(errno));
        reader->start = reader->end;
        reader->offset += size;
        return 0;
    }
    return take(reader, NULL, size, what);
}

static int parse_hex(const unsigned char *digits, uint32_t *value)
{
    *value = 0;
    for (int i = 0; i < DIGITS; i++) {
        unsigned char c = digits[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = c - '0';
        else if (c >= 'a' && c <= 'f')
            digit = c - 'a' + 10u;
        else if (c >= 'A' && c <= 'F')
            digit = c - 'A' + 10u;
        else
            return -EBADMSG;
        *value = *value << 4 | digit;
    }
    return 0;
}

static int header_parse(struct cpio_reader *reader, const unsigned char *header,
                        struct cpio_entry *entry, uint32_t *name_size)
{
    uint32_t *const numbers[NUMBERS] = {
        &entry->ino,        &entry->mode, &entry->uid,       &entry->gid,       &entry->nlink,
        &entry->mtime,      &entry->size, &entry->dev_major, &entry->dev_minor, &entry->rdev_major,
        &entry->rdev_minor, name_size,    &entry->check,
    };

    if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
        return fail(reader->error, EBADMSG, "not a cpio archive (newc) at byte %llu",
                    (unsigned long long)(reader->offset - HEADER_SIZE));
    entry->has_check = header[5] == '2';
    for (int i = 0; i < NUMBERS; i++) {
        if (parse_hex(header + 6 + i * DIGITS, numbers[i]) < 0)
            return fail(
                reader->error, EBADMSG, "a digit that is not hexadecimal near byte %llu",
                (unsigned long long)(reader->offset - HEADER_SIZE + 6u + (unsigned)i * DIGITS));
    }
    return 0;
}

/* Removes what a name may have too much of: "./" in front, "//", "/./", "/" at the end. */
static int name_clean(struct cpio_reader *reader, char *name)
{
    char *out = name;
    const char *in = name;

    if (*in == '/')
        return fail(reader->error, EBADMSG, "'%s': the name is absolute", name);
    while (*in) {
        size_t length = strcspn(in, "/");
        if (length == 2 && in[0] == '.' && in[1] == '.')
            return fail(reader->error, EBADMSG, "the name '%s' contains '..'", in);
        if (length > 0 && !(length == 1 && in[0] == '.')) {
            if (out != name)
                *out++ = '/';
            memmove(out, in, length);
            out += length;
        }
        in += length;
        in += strspn(in, "/");
    }
    if (out == name)
        *out++ = '.';
    *out = '\0';
    return 0;
}

static int name_take(struct cpio_reader *reader, uint32_t size, struct cpio_entry *entry)
{
    if (size < 2)
        return fail(reader->error, EBADMSG, "an entry has no name");
    if (size > CPIO_NAME_MAX + 1)
        return fail(reader->error, EBADMSG, "a name is longer than %d bytes", CPIO_NAME_MAX);

    int err = take(reader, entry->name, size, "a name");
    if (err)
        return err;
    if (memchr(entry->name, '\0', size) != entry->name + size - 1)
        return fail(reader->error, EBADMSG, "a name is not as long as its header says");
    return skip(reader, padding(reader->offset, ALIGNMENT), "the padding of a name");
}

/* What the type of an entry says about its data. */
static int entry_check(struct cpio_reader *reader, const struct cpio_entry *entry)
{
    switch (entry->mode & S_IFMT) {
    case S_IFREG:
        break;
    case S_IFLNK:
        if (entry->size == 0 || entry->size > CPIO_NAME_MAX)
            return fail(reader->error, EBADMSG, "%s: a link target of %u bytes", entry->name,
                        entry->size);
        break;
    case S_IFDIR:
    case S_IFCHR:
    case S_IFBLK:
    case S_IFIFO:
    case S_IFSOCK:
        if (entry->size != 0)
            return fail(reader->error, EBADMSG, "%s: data where none can be", entry->name);
        break;
    default:
        return fail(reader->error, EBADMSG, "%s: a file type that does not exist (mode %o)",
                    entry->name, entry->mode);
    }
    if (reader->limit != UINT64_MAX && entry->size > reader->limit - reader->offset)
        return fail(reader->error, EBADMSG, "%s: its size of %u bytes passes the archive's end",
                    entry->name, entry->size);
    return 0;
}

int cpio_next(struct cpio_reader *reader, struct cpio_entry *entry)
{
    unsigned char header[HEADER_SIZE];
    uint32_t name_size;
    int err;

    err = skip(reader, reader->left, "the data of a file");
    if (!err)
        err = skip(reader, padding(reader->offset, ALIGNMENT), "the padding of a file");
    reader->left = 0;
    if (!err)
        err = take(reader, header, sizeof header, "a header, or has no trailer");
    if (!err)
        err = header_parse(reader, header, entry, &name_size);
    if (!err)
        err = name_take(reader, name_size, entry);
    if (err)
        return err;
    if (strcmp(entry->name, trailer_name) == 0)
        return 0;

    err = name_clean(reader, entry->name);
    if (!err)
        err = entry_check(reader, entry);
    if (err)
        return err;
    reader->left = entry->size;
    reader->sum = 0;
    reader->check = entry->check;
    reader->has_check = entry->has_check && S_ISREG(entry->mode) && entry->size > 0;
    return 1;
}

ssize_t cpio_read_data(struct cpio_reader *reader, void *data, size_t size)
{
    const unsigned char *bytes = data;

    if (size > reader->left)
        size = reader->left;
    if (size > SSIZE_MAX)
        size = SSIZE_MAX;
    if (size == 0)
        return 0;
    int err = take(reader, data, size, "the data of a file");
    if (err)
        return err;
    reader->left -= (uint32_t)size;
    if (reader->has_check) {
        for (size_t i = 0; i < size; i++)
            reader->sum += bytes[i];
        if (reader->left == 0 && reader->sum != reader->check)
            return fail(reader->error, EBADMSG, "the checksum of the data is wrong");
    }
    return (ssize_t)size;
}

/* ---- writing ---- */

void cpio_writer_init(struct cpio_writer *writer, int fd)
{
    writer->fd = fd;
    writer->offset = 0;
    writer->used = 0;
    writer->error[0] = '\0';
}

static int flush(struct cpio_writer *writer)
{
    size_t done = 0;

    while (done < writer->used) {
        ssize_t put = write(writer->fd, writer->buffer + done, writer->used - done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return fail(writer->error, errno, "%s", strerror(errno));
        done += (size_t)put;
    }
    writer->used = 0;
    return 0;
}

int cpio_write_data(struct cpio_writer *writer, const void *data, size_t size)
{
    const unsigned char *bytes = data;

    while (size > 0) {
        size_t part = sizeof writer->buffer - writer->used;
        if (part > size)
            part = size;
        memcpy(writer->buffer + writer->used, bytes, part);
        writer->used += part;
        writer->offset += part;
        bytes += part;
        size -= part;
        if (writer->used == sizeof writer->buffer) {
            int err = flush(writer);
            if (err)
                return err;
        }
    }
    return 0;
}

static int pad_to(struct cpio_writer *writer, uint32_t alignment)
{
    static const unsigned char zeros[BLOCK];
    return cpio_write_data(writer, zeros, padding(writer->offset, alignment));
}

int cpio_write_pad(struct cpio_writer *writer)
{
    return pad_to(writer, ALIGNMENT);
}

int cpio_write_entry(struct cpio_writer *writer, const struct cpio_entry *entry)
{
    size_t length = strlen(entry->name);
    char header[HEADER_SIZE + 1];

    if (length > CPIO_NAME_MAX)
        return fail(writer->error, ENAMETOOLONG, "%s", strerror(ENAMETOOLONG));
    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
             entry->ino, entry->mode, entry->uid, entry->gid, entry->nlink, entry->mtime,
             entry->size, entry->dev_major, entry->dev_minor, entry->rdev_major, entry->rdev_minor,
             (unsigned)length + 1, 0u);

    int err = cpio_write_data(writer, header, HEADER_SIZE);
    if (!err)
        err = cpio_write_data(writer, entry->name, length + 1);
    return err ? err : cpio_write_pad(writer);
}

int cpio_write_trailer(struct cpio_writer *writer)
{
    struct cpio_entry trailer = {.nlink = 1};

    memcpy(trailer.name, trailer_name, sizeof trailer_name);
    int err = cpio_write_entry(writer, &trailer);
    if (!err)
        err = pad_to(writer, BLOCK);
    return err ? err : flush(writer);
}
