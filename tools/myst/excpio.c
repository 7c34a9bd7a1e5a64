/* tools/myst/excpio.c: `myst excpio FILE DIR`: unpacks a cpio archive that nobody vouches for.
 *
 * Every name is walked from DIR one component at a time without following a symbolic link, so that
 * nothing outside DIR can be reached, whatever the archive holds or DIR held before. */
#include "cpio.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIRECTORY_FLAGS (O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

/* A file with more than one name: the first of them, to link the others to. */
struct linked {
    uint32_t dev_major, dev_minor, ino;
    char *name;
};

/* A directory whose mode and time are set when everything in it is there. */
struct deferred {
    char *name;
    size_t number; /* in the order of the archive */
    uint32_t mode, mtime, uid, gid;
};

struct unpacking {
    const char *file; /* for messages */
    int root;
    bool own; /* give files to the archive's owners: only root can */
    struct linked *linked;
    size_t linked_count;
    struct deferred *deferred;
    size_t deferred_count;
    struct cpio_reader reader;
    struct cpio_entry entry;
};

static int entry_complain(const struct unpacking *unpacking, const char *what)
{
    complain("%s: %s: %s: %s", unpacking->file, unpacking->entry.name, what, strerror(errno));
    return STATUS_FAILED;
}

static int reader_complain(const struct unpacking *unpacking)
{
    complain("%s: %s", unpacking->file, unpacking->reader.error);
    return STATUS_FAILED;
}

/* Opens the directory that holds name and points *last at the final component. Missing directories
 * are made when create is set. -1 with errno. */
static int parent_open(const struct unpacking *unpacking, const char *name, bool create,
                       const char **last)
{
    char component[NAME_MAX + 1];
    int parent = fcntl(unpacking->root, F_DUPFD_CLOEXEC, 0);

    for (const char *slash; parent >= 0 && (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        size_t length = (size_t)(slash - name);
        int child = -1, err = ENAMETOOLONG;

        if (length <= NAME_MAX) {
            memcpy(component, name, length);
            component[length] = '\0';
            if (create && mkdirat(parent, component, 0777) < 0 && errno != EEXIST) {
                err = errno;
            } else {
                child = openat(parent, component, O_PATH | DIRECTORY_FLAGS);
                err = errno;
            }
        }
        close(parent);
        parent = child;
        errno = err;
    }
    *last = name;
    return parent;
}

/* Takes away what stands in the place of a new file; a directory stays and makes it fail. */
static int make_room(int parent, const char *name)
{
    return unlinkat(parent, name, 0) < 0 && errno != ENOENT ? -1 : 0;
}

/* Owner first, for it takes set-id bits away; mode last, for it may shut us out of "." itself. */
static int set_attributes(const struct unpacking *unpacking, int parent, const char *name)
{
    const struct cpio_entry *entry = &unpacking->entry;
    const struct timespec times[2] = {{.tv_sec = entry->mtime}, {.tv_sec = entry->mtime}};

    if (unpacking->own && fchownat(parent, name, entry->uid, entry->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return entry_complain(unpacking, "cannot change the owner");
    if (utimensat(parent, name, times, AT_SYMLINK_NOFOLLOW) < 0)
        return entry_complain(unpacking, "cannot change the time");
    if (!S_ISLNK(entry->mode) && fchmodat(parent, name, entry->mode & 07777, 0) < 0)
        return entry_complain(unpacking, "cannot change the mode");
    return 0;
}

static int copy_data(struct unpacking *unpacking, int fd)
{
    static unsigned char buffer[CPIO_BUFFER];
    ssize_t got;

    while ((got = cpio_read_data(&unpacking->reader, buffer, sizeof buffer)) > 0) {
        for (ssize_t done = 0, put; done < got; done += put) {
            put = write(fd, buffer + done, (size_t)(got - done));
            if (put < 0 && errno == EINTR)
                put = 0;
            if (put < 0)
                return entry_complain(unpacking, "cannot write");
        }
    }
    return got < 0 ? reader_complain(unpacking) : 0;
}

static int write_file(struct unpacking *unpacking, int parent, const char *name, int flags)
{
    int fd = openat(parent, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | flags, 0600);
    if (fd < 0)
        return entry_complain(unpacking, "cannot create");

    int status = copy_data(unpacking, fd);
    if (close(fd) < 0 && status == 0)
        status = entry_complain(unpacking, "cannot write");
    return status;
}

static int make_symlink(struct unpacking *unpacking, int parent, const char *name)
{
    char target[CPIO_NAME_MAX + 1];

    ssize_t length = cpio_read_data(&unpacking->reader, target, unpacking->entry.size);
    if (length < 0)
        return reader_complain(unpacking);
    target[length] = '\0';
    if (strlen(target) != (size_t)length) {
        complain("%s: %s: a NUL byte in a link target", unpacking->file, unpacking->entry.name);
        return STATUS_FAILED;
    }
    if (symlinkat(target, parent, name) < 0)
        return entry_complain(unpacking, "cannot make the symbolic link");
    return 0;
}

static int make_special(struct unpacking *unpacking, int parent, const char *name)
{
    const struct cpio_entry *entry = &unpacking->entry;
    bool device = S_ISCHR(entry->mode) || S_ISBLK(entry->mode);
    dev_t number = device ? makedev(entry->rdev_major, entry->rdev_minor) : 0;

    if (mknodat(parent, name, (entry->mode & S_IFMT) | 0600, number) < 0)
        return entry_complain(unpacking, device ? "cannot make the device" : "cannot create");
    return 0;
}

static const struct linked *linked_find(const struct unpacking *unpacking)
{
    const struct cpio_entry *entry = &unpacking->entry;

    for (size_t i = unpacking->linked_count; i-- > 0;) {
        const struct linked *linked = &unpacking->linked[i];
        if (linked->ino == entry->ino && linked->dev_major == entry->dev_major &&
            linked->dev_minor == entry->dev_minor)
            return linked;
    }
    return NULL;
}

static void linked_add(struct unpacking *unpacking)
{
    const struct cpio_entry *entry = &unpacking->entry;
    size_t size = (unpacking->linked_count + 1) * sizeof *unpacking->linked;

    unpacking->linked = must_realloc(unpacking->linked, size);
    unpacking->linked[unpacking->linked_count++] =
        (struct linked){.dev_major = entry->dev_major,
                        .dev_minor = entry->dev_minor,
                        .ino = entry->ino,
                        .name = must_strdup(entry->name)};
}

/* Another name of a file that is there; the data may come with any of the names. */
static int make_link(struct unpacking *unpacking, const struct linked *first, int parent,
                     const char *name)
{
    const char *old_name;
    struct stat st;

    int old = parent_open(unpacking, first->name, false, &old_name);
    if (old < 0)
        return entry_complain(unpacking, "cannot find the file to link to");
    int err = linkat(old, old_name, parent, name, 0);
    close(old);
    if (err < 0)
        return entry_complain(unpacking, "cannot make the hard link");
    if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return entry_complain(unpacking, "cannot make the hard link");
    if ((st.st_mode & S_IFMT) != (unpacking->entry.mode & S_IFMT)) {
        complain("%s: %s: a hard link to a file of another type", unpacking->file,
                 unpacking->entry.name);
        return STATUS_FAILED;
    }
    if (S_ISREG(unpacking->entry.mode) && unpacking->entry.size > 0) {
        /* The first name has set the mode, which may deny even its owner to write. */
        if (fchmodat(parent, name, 0600, 0) < 0)
            return entry_complain(unpacking, "cannot change the mode");
        return write_file(unpacking, parent, name, O_TRUNC);
    }
    return 0;
}

static int make_file(struct unpacking *unpacking, int parent, const char *name)
{
    const struct cpio_entry *entry = &unpacking->entry;
    const struct linked *first = NULL;
    int status;

    if (make_room(parent, name) < 0)
        return entry_complain(unpacking, "cannot replace");
    if (entry->nlink > 1 && !S_ISLNK(entry->mode))
        first = linked_find(unpacking);
    if (first)
        status = make_link(unpacking, first, parent, name);
    else if (S_ISREG(entry->mode))
        status = write_file(unpacking, parent, name, O_CREAT | O_EXCL);
    else if (S_ISLNK(entry->mode))
        status = make_symlink(unpacking, parent, name);
    else
        status = make_special(unpacking, parent, name);
    if (status == 0)
        status = set_attributes(unpacking, parent, name);
    if (status == 0 && !first && entry->nlink > 1 && !S_ISLNK(entry->mode))
        linked_add(unpacking);
    return status;
}

static void defer(struct unpacking *unpacking)
{
    const struct cpio_entry *entry = &unpacking->entry;
    size_t count = unpacking->deferred_count;

    if ((count & (count - 1)) == 0)
        unpacking->deferred = must_realloc(unpacking->deferred,
                                           (count ? 2 * count : 1) * sizeof *unpacking->deferred);
    unpacking->deferred[unpacking->deferred_count++] =
        (struct deferred){.name = must_strdup(entry->name),
                          .number = count,
                          .mode = entry->mode,
                          .mtime = entry->mtime,
                          .uid = entry->uid,
                          .gid = entry->gid};
}

/* Until the end a directory is ours to write, whatever its mode will be. */
static int make_directory(struct unpacking *unpacking, int parent, const char *name)
{
    struct stat st;

    if (strcmp(unpacking->entry.name, ".") != 0 && mkdirat(parent, name, 0700) < 0) {
        if (errno != EEXIST)
            return entry_complain(unpacking, "cannot create");
        if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return entry_complain(unpacking, "cannot create");
        if (!S_ISDIR(st.st_mode)) {
            errno = EEXIST;
            return entry_complain(unpacking, "cannot create");
        }
    }
    defer(unpacking);
    return 0;
}

static int make_entry(struct unpacking *unpacking)
{
    const char *name;

    int parent = parent_open(unpacking, unpacking->entry.name, true, &name);
    if (parent < 0)
        return entry_complain(unpacking, "cannot reach its directory");
    int status = S_ISDIR(unpacking->entry.mode) ? make_directory(unpacking, parent, name)
                                                : make_file(unpacking, parent, name);
    close(parent);
    return status;
}

/* What lies below before what holds it; of one directory the archive's last word last. */
static int compare_deferred(const void *left, const void *right)
{
    const struct deferred *a = left, *b = right;
    bool a_is_root = strcmp(a->name, ".") == 0, b_is_root = strcmp(b->name, ".") == 0;

    if (a_is_root != b_is_root)
        return a_is_root ? 1 : -1;
    int order = strcmp(b->name, a->name);
    return order ? order : a->number < b->number ? -1 : a->number > b->number;
}

/* Deepest first, since a mode may shut us out of what lies below. */
static int finish_directories(struct unpacking *unpacking)
{
    if (unpacking->deferred_count)
        qsort(unpacking->deferred, unpacking->deferred_count, sizeof *unpacking->deferred,
              compare_deferred);
    for (size_t i = 0; i < unpacking->deferred_count; i++) {
        const struct deferred *deferred = &unpacking->deferred[i];
        struct cpio_entry *entry = &unpacking->entry;
        const char *name;

        strcpy(entry->name, deferred->name);
        entry->mode = deferred->mode;
        entry->mtime = deferred->mtime;
        entry->uid = deferred->uid;
        entry->gid = deferred->gid;
        int parent = parent_open(unpacking, entry->name, false, &name);
        if (parent < 0)
            return entry_complain(unpacking, "cannot reach its directory");
        int status = set_attributes(unpacking, parent, name);
        close(parent);
        if (status)
            return status;
    }
    return 0;
}

static int unpack(struct unpacking *unpacking)
{
    int got, status = 0;

    while (status == 0 && (got = cpio_next(&unpacking->reader, &unpacking->entry)) != 0)
        status = got < 0 ? reader_complain(unpacking) : make_entry(unpacking);
    return status ? status : finish_directories(unpacking);
}

static void unpacking_free(struct unpacking *unpacking)
{
    for (size_t i = 0; i < unpacking->linked_count; i++)
        free(unpacking->linked[i].name);
    for (size_t i = 0; i < unpacking->deferred_count; i++)
        free(unpacking->deferred[i].name);
    free(unpacking->linked);
    free(unpacking->deferred);
    free(unpacking);
}

static int root_open(const char *path)
{
    if (mkdir(path, 0777) < 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cmd_excpio(const struct invocation *invocation)
{
    int operands;
    int status = take_operands(invocation, 2, 2, &operands);
    if (status >= 0)
        return status;

    struct unpacking *unpacking = must_alloc(sizeof *unpacking);
    const char *directory = invocation->argv[operands + 1];
    unpacking->file = invocation->argv[operands];
    unpacking->own = geteuid() == 0;

    int fd = STDIN_FILENO;
    if (strcmp(unpacking->file, "-") == 0)
        unpacking->file = "standard input";
    else
        fd = open(unpacking->file, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        complain("%s: %s", unpacking->file, strerror(errno));
        status = STATUS_FAILED;
    } else if ((unpacking->root = root_open(directory)) < 0) {
        complain("%s: %s", directory, strerror(errno));
        status = STATUS_FAILED;
    } else {
        cpio_reader_init(&unpacking->reader, fd);
        status = unpack(unpacking);
        close(unpacking->root);
    }
    unpacking_free(unpacking);
    return status;
}
