/* tools/myst/mkcpio.c: `myst mkcpio DIR FILE`: the tree below a directory as a cpio archive.
 *
 * The same tree gives the same bytes: names are sorted, inodes are counted from 1, and devices and
 * link counts say no more than what the archive holds. */
#include "cpio.h"
#include "tool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* A name of the tree, in the order of the archive. */
struct node {
    char *name; /* relative to DIR; "." for DIR itself */
    struct stat st;
    uint32_t ino;      /* in the archive: shared by the names of one file */
    uint32_t nlink;    /* names of the file in the archive */
    bool carries_data; /* the last name of a file; readers wait for it with the others */
};

struct tree {
    const char *root; /* as the user wrote it, for messages */
    int fd;
    struct node *nodes;
    size_t count;
    struct stat output; /* the archive itself, which may lie in the tree and is left out */
    struct cpio_writer writer;
    struct cpio_entry entry;
};

static int tree_complain(const struct tree *tree, const char *name, const char *reason)
{
    complain("%s/%s: %s", tree->root, name, reason);
    return STATUS_FAILED;
}

static struct node *tree_add(struct tree *tree, const char *name)
{
    if ((tree->count & (tree->count - 1)) == 0)
        tree->nodes =
            must_realloc(tree->nodes, (tree->count ? 2 * tree->count : 1) * sizeof *tree->nodes);
    struct node *node = &tree->nodes[tree->count++];
    *node = (struct node){.name = must_strdup(name)};
    return node;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

static void names_free(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

/* The sorted names in a directory of the tree. */
static int directory_list(struct tree *tree, const char *name, char ***names, size_t *count)
{
    const struct dirent *found;

    *names = NULL;
    *count = 0;
    int fd = openat(tree->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    if (!directory) {
        int err = errno;
        if (fd >= 0)
            close(fd);
        return tree_complain(tree, name, strerror(err));
    }
    while (errno = 0, (found = readdir(directory)) != NULL) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        *names = must_realloc(*names, (*count + 1) * sizeof **names);
        (*names)[(*count)++] = must_strdup(found->d_name);
    }
    int err = errno;
    closedir(directory);
    if (err) {
        names_free(*names, *count);
        return tree_complain(tree, name, strerror(err));
    }
    if (*count)
        qsort(*names, *count, sizeof **names, compare_names);
    return 0;
}

static int tree_walk(struct tree *tree, const char *name);

static int walk_names(struct tree *tree, const char *parent, char *const *names, size_t count)
{
    int status = 0;

    for (size_t i = 0; status == 0 && i < count; i++) {
        char *name = strcmp(parent, ".") == 0 ? must_strdup(names[i])
                                              : must_printf("%s/%s", parent, names[i]);
        status = tree_walk(tree, name);
        free(name);
    }
    return status;
}

static int tree_walk(struct tree *tree, const char *name)
{
    char **names;
    size_t count;
    struct stat st;

    if (strlen(name) > CPIO_NAME_MAX)
        return tree_complain(tree, name, strerror(ENAMETOOLONG));
    if (fstatat(tree->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return tree_complain(tree, name, strerror(errno));
    if (S_ISREG(st.st_mode) && st.st_dev == tree->output.st_dev && st.st_ino == tree->output.st_ino)
        return 0;
    tree_add(tree, name)->st = st;
    if (!S_ISDIR(st.st_mode))
        return 0;

    int status = directory_list(tree, name, &names, &count);
    if (status)
        return status;
    status = walk_names(tree, name, names, count);
    names_free(names, count);
    return status;
}

/* By file, and names of one file in the order of the archive. */
static int compare_files(const void *left, const void *right)
{
    const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;

    if (a->st.st_dev != b->st.st_dev)
        return a->st.st_dev < b->st.st_dev ? -1 : 1;
    if (a->st.st_ino != b->st.st_ino)
        return a->st.st_ino < b->st.st_ino ? -1 : 1;
    return a < b ? -1 : a > b;
}

static bool same_file(const struct node *a, const struct node *b)
{
    return a->st.st_dev == b->st.st_dev && a->st.st_ino == b->st.st_ino;
}

/* Only regular files and special files are linked; a symbolic link is written for each name, as
 * cpio(1) does. */
static bool can_be_linked(const struct node *node)
{
    return !S_ISDIR(node->st.st_mode) && !S_ISLNK(node->st.st_mode);
}

/* Finds the names of each file, and numbers the files. */
static void tree_link(struct tree *tree)
{
    struct node **sorted = must_alloc(tree->count * sizeof(struct node *));

    for (size_t i = 0; i < tree->count; i++) {
        sorted[i] = &tree->nodes[i];
        tree->nodes[i].ino = (uint32_t)i + 1;
        tree->nodes[i].nlink = S_ISDIR(tree->nodes[i].st.st_mode) ? 2 : 1;
        tree->nodes[i].carries_data = true;
    }
    qsort(sorted, tree->count, sizeof(struct node *), compare_files);
    for (size_t first = 0, end; first < tree->count; first = end) {
        for (end = first + 1; end < tree->count && same_file(sorted[first], sorted[end]); end++)
            continue;
        if (!can_be_linked(sorted[first]))
            continue;
        for (size_t i = first; i < end; i++) {
            sorted[i]->ino = sorted[first]->ino;
            sorted[i]->nlink = (uint32_t)(end - first);
            sorted[i]->carries_data = i + 1 == end;
        }
    }
    free(sorted);
}

static int write_failed(struct tree *tree, const char *file)
{
    complain("%s: %s", file, tree->writer.error);
    return STATUS_FAILED;
}

/* Copies exactly size bytes; the header has already said so. */
static int copy_data(struct tree *tree, const struct node *node, int fd, const char *file)
{
    static unsigned char buffer[CPIO_BUFFER];
    uint64_t left = (uint64_t)node->st.st_size;

    while (left > 0) {
        size_t want = left < sizeof buffer ? (size_t)left : sizeof buffer;
        ssize_t got = read(fd, buffer, want);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return tree_complain(tree, node->name, strerror(errno));
        if (got == 0)
            return tree_complain(tree, node->name, "the file became shorter while it was read");
        if (cpio_write_data(&tree->writer, buffer, (size_t)got) < 0)
            return write_failed(tree, file);
        left -= (uint64_t)got;
    }
    if (read(fd, buffer, 1) > 0)
        return tree_complain(tree, node->name, "the file became longer while it was read");
    return cpio_write_pad(&tree->writer) < 0 ? write_failed(tree, file) : 0;
}

static int write_regular(struct tree *tree, const struct node *node, const char *file)
{
    struct stat now;
    int status;

    if (!node->carries_data || node->st.st_size == 0)
        return cpio_write_entry(&tree->writer, &tree->entry) < 0 ? write_failed(tree, file) : 0;

    int fd = openat(tree->fd, node->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return tree_complain(tree, node->name, strerror(errno));
    if (fstat(fd, &now) < 0 || now.st_ino != node->st.st_ino || now.st_dev != node->st.st_dev ||
        now.st_size != node->st.st_size)
        status = tree_complain(tree, node->name, "the file changed while it was read");
    else if (cpio_write_entry(&tree->writer, &tree->entry) < 0)
        status = write_failed(tree, file);
    else
        status = copy_data(tree, node, fd, file);
    close(fd);
    return status;
}

static int write_symlink(struct tree *tree, const struct node *node, const char *file)
{
    char target[CPIO_NAME_MAX + 1];

    ssize_t length = readlinkat(tree->fd, node->name, target, sizeof target);
    if (length < 0)
        return tree_complain(tree, node->name, strerror(errno));
    if (length > CPIO_NAME_MAX)
        return tree_complain(tree, node->name, strerror(ENAMETOOLONG));
    tree->entry.size = (uint32_t)length;
    if (cpio_write_entry(&tree->writer, &tree->entry) < 0 ||
        cpio_write_data(&tree->writer, target, (size_t)length) < 0 ||
        cpio_write_pad(&tree->writer) < 0)
        return write_failed(tree, file);
    return 0;
}

/* The header's 32 bits of time reach from 1970 to 2106; what lies outside becomes the nearest. */
static uint32_t clamp_time(int64_t seconds)
{
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static int write_node(struct tree *tree, const struct node *node, const char *file)
{
    const struct stat *st = &node->st;
    bool device = S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode);

    if (st->st_size > UINT32_MAX && S_ISREG(st->st_mode))
        return tree_complain(tree, node->name, "4 GiB or more: too large for a cpio archive");
    tree->entry = (struct cpio_entry){
        .ino = node->ino,
        .mode = st->st_mode,
        .uid = st->st_uid,
        .gid = st->st_gid,
        .nlink = node->nlink,
        .mtime = clamp_time(st->st_mtime),
        .size = S_ISREG(st->st_mode) && node->carries_data ? (uint32_t)st->st_size : 0,
        .rdev_major = device ? major(st->st_rdev) : 0,
        .rdev_minor = device ? minor(st->st_rdev) : 0,
    };
    strcpy(tree->entry.name, node->name);
    if (S_ISREG(st->st_mode))
        return write_regular(tree, node, file);
    if (S_ISLNK(st->st_mode))
        return write_symlink(tree, node, file);
    return cpio_write_entry(&tree->writer, &tree->entry) < 0 ? write_failed(tree, file) : 0;
}

static int tree_archive(struct tree *tree, int output, const char *file)
{
    int status = tree_walk(tree, ".");

    if (status == 0 && (tree->count == 0 || !S_ISDIR(tree->nodes[0].st.st_mode)))
        status = tree_complain(tree, ".", strerror(ENOTDIR));
    if (status)
        return status;
    tree_link(tree);
    cpio_writer_init(&tree->writer, output);
    for (size_t i = 0; status == 0 && i < tree->count; i++)
        status = write_node(tree, &tree->nodes[i], file);
    if (status == 0 && cpio_write_trailer(&tree->writer) < 0)
        status = write_failed(tree, file);
    return status;
}

static void tree_free(struct tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->nodes[i].name);
    free(tree->nodes);
    close(tree->fd);
    free(tree);
}

/* Opens the archive; "-" is standard output. */
static int output_open(const char *file)
{
    if (strcmp(file, "-") == 0)
        return STDOUT_FILENO;
    return open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
}

int cmd_mkcpio(const struct invocation *invocation)
{
    int operands;
    int status = take_operands(invocation, 2, 2, &operands);
    if (status >= 0)
        return status;

    struct tree *tree = must_alloc(sizeof *tree);
    const char *file = invocation->argv[operands + 1];
    tree->root = invocation->argv[operands];
    tree->fd = open(tree->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (tree->fd < 0) {
        complain("%s: %s", tree->root, strerror(errno));
        free(tree);
        return STATUS_FAILED;
    }
    int output = output_open(file);
    if (strcmp(file, "-") == 0)
        file = "standard output";
    if (output < 0 || fstat(output, &tree->output) < 0) {
        complain("%s: %s", file, strerror(errno));
        tree_free(tree);
        return STATUS_FAILED;
    }

    status = tree_archive(tree, output, file);
    if (close(output) < 0 && status == 0) {
        complain("%s: %s", file, strerror(errno));
        status = STATUS_FAILED;
    }
    /* Half an archive is worth nothing; what is no file of its own is left alone. */
    if (status && output != STDOUT_FILENO && S_ISREG(tree->output.st_mode))
        unlink(file);
    tree_free(tree);
    return status;
}
