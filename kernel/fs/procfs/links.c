/* kernel/fs/procfs/links.c: exe, cwd, root, fd/ and fdinfo/ of a process, and its task/ directory. */
#include "base/errno.h"
#include "base/fmt.h"
#include "base/parse.h"
#include "base/string.h"
#include "fs/procfs/internal.h"
#include "mm/alloc.h"
#include "self/self.h"

/* Counted; NULL when the thread has ended. */
static struct files *files_of(const struct subject *s)
{
    struct files *files = NULL;

    spin_lock(&tasks_lock);
    if (!s->task->exited && s->task->self && s->task->self->files)
        files = files_get(s->task->self->files);
    spin_unlock(&tasks_lock);
    return files;
}

static struct fs_context *fs_of(const struct subject *s)
{
    struct fs_context *fs = NULL;

    spin_lock(&tasks_lock);
    if (!s->task->exited && s->task->self && s->task->self->fs)
        fs = fs_context_get(s->task->self->fs);
    spin_unlock(&tasks_lock);
    return fs;
}

u32 proc_fd_size(const struct subject *s)
{
    struct files *files = files_of(s);
    u32 max = files ? READ_ONCE(files->max) : 0;

    if (files)
        files_put(files);
    return max;
}

umode proc_umask(const struct subject *s)
{
    struct fs_context *fs = fs_of(s);
    umode mask = fs ? READ_ONCE(fs->umask) : 0;

    if (fs)
        fs_context_put(fs);
    return mask;
}

/* --- where paths lead ----------------------------------------------------------------------------------- */

static int text_of_path(const struct path *path, char *buf, size_t size)
{
    AUTO_PATH root = {0};
    char *text, *tmp = kmalloc(PATH_MAX);
    int n;

    if (!tmp)
        return -ENOMEM;
    fs_root(&root);
    text = path_text(path, &root, tmp, PATH_MAX);
    n = IS_ERR(text) ? (int)PTR_ERR(text) : (int)MIN(strlen(text), size);
    if (n > 0)
        memcpy(buf, text, (size_t)n);
    kfree(tmp);
    return n;
}

static int context_path(const struct subject *s, bool root, struct path *out)
{
    struct fs_context *fs = fs_of(s);

    if (!fs)
        return -ENOENT;
    spin_lock(&fs->lock);
    *out = root ? fs->root : fs->cwd;
    path_get(out);
    spin_unlock(&fs->lock);
    fs_context_put(fs);
    return 0;
}

int proc_cwd_follow(const struct subject *s, struct path *out)
{
    return context_path(s, false, out);
}

int proc_root_follow(const struct subject *s, struct path *out)
{
    return context_path(s, true, out);
}

int proc_exe_follow(const struct subject *s, struct path *out)
{
    int err = -ENOENT;

    spin_lock(&tasks_lock);
    if (s->process->exe && s->process->state == PROCESS_ALIVE) {
        *out = s->process->exe->path;
        path_get(out);
        err = 0;
    }
    spin_unlock(&tasks_lock);
    return err;
}

static int link_text(int (*follow)(const struct subject *, struct path *), const struct subject *s,
                     char *buf, size_t size)
{
    AUTO_PATH path = {0};
    int err = follow(s, &path);

    return err ? err : text_of_path(&path, buf, size);
}

int proc_cwd_link(const struct subject *s, char *buf, size_t size)
{
    return link_text(proc_cwd_follow, s, buf, size);
}

int proc_root_link(const struct subject *s, char *buf, size_t size)
{
    return link_text(proc_root_follow, s, buf, size);
}

int proc_exe_link(const struct subject *s, char *buf, size_t size)
{
    return link_text(proc_exe_follow, s, buf, size);
}

/* --- fd/ -------------------------------------------------------------------------------------------------- */

static struct file *file_of(const struct subject *s, int fd)
{
    struct files *files = files_of(s);
    struct file *file = files ? files_lookup(files, fd) : NULL;

    if (files)
        files_put(files);
    return file;
}

static int fd_link(const struct subject *s, char *buf, size_t size)
{
    AUTO(file_put) struct file *file = file_of(s, s->number);
    AUTO_PATH root = {0};
    char *text, *tmp;
    int n;

    if (!file)
        return -ENOENT;
    tmp = kmalloc(PATH_MAX);
    if (!tmp)
        return -ENOMEM;
    fs_root(&root);
    text = file_text(file, &root, tmp, PATH_MAX);
    n = IS_ERR(text) ? (int)PTR_ERR(text) : (int)MIN(strlen(text), size);
    if (n > 0)
        memcpy(buf, text, (size_t)n);
    kfree(tmp);
    return n;
}

static int fd_follow(const struct subject *s, struct path *out)
{
    AUTO(file_put) struct file *file = file_of(s, s->number);

    if (!file)
        return -ENOENT;
    *out = file->path;
    path_get(out);
    return 0;
}

/* proc_pid_fd(5): the owner's bits of the link say what the descriptor was opened for. */
static umode fd_mode(const struct subject *s)
{
    AUTO(file_put) struct file *file = file_of(s, s->number);
    u32 mode = file ? file->mode : 0;

    return S_IFLNK | S_IXUSR | (mode & FILE_READ ? S_IRUSR : 0) | (mode & FILE_WRITE ? S_IWUSR : 0);
}

static const struct pseudo_entry fd_entry = {
    .name = "fd", .mode = S_IFLNK | 0700, .mode_of = fd_mode, .link = fd_link, .follow = fd_follow};

static int fdinfo_show(const struct subject *s, struct text *out)
{
    struct files *files = files_of(s);
    int fd = s->number;
    bool cloexec = false;
    AUTO(file_put) struct file *file = files ? files_next(files, &fd, &cloexec) : NULL;
    char extra[256];

    if (files)
        files_put(files);
    if (!file || fd != s->number)
        return -ENOENT;
    text_print(out, "pos:\t%lld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%llu\n", (long long)file->pos,
               file_flags(file) | (cloexec ? O_CLOEXEC : 0),
               file->path.mount ? file->path.mount->id : 0, (unsigned long long)file->inode->ino);
    if (file->ops->fdinfo && file->ops->fdinfo(file, extra, sizeof(extra)) > 0)
        text_print(out, "%s", extra);
    return 0;
}

static const struct pseudo_entry fdinfo_entry = {
    .name = "fdinfo", .mode = S_IFREG | 0400, .show = fdinfo_show};

static int numbered_lookup(const struct subject *s, const char *name,
                           const struct pseudo_entry *which, const struct pseudo_entry **entry,
                           struct subject *out)
{
    struct file *file;
    u32 fd;

    if (strtou32(name, 10, &fd) || (name[0] == '0' && name[1]))
        return -ENOENT;
    file = file_of(s, (int)fd);
    if (!file)
        return -ENOENT;
    file_put(file);
    *entry = which;
    *out = (struct subject){process_get(s->process), task_get(s->task), (int)fd};
    return 0;
}

static int fd_lookup(const struct subject *s, const char *name, const struct pseudo_entry **entry,
                     struct subject *out)
{
    return numbered_lookup(s, name, &fd_entry, entry, out);
}

static int fdinfo_lookup(const struct subject *s, const char *name,
                         const struct pseudo_entry **entry, struct subject *out)
{
    return numbered_lookup(s, name, &fdinfo_entry, entry, out);
}

static bool fd_next(const struct subject *s, u32 *from)
{
    struct files *files = files_of(s);
    int fd = (int)*from;
    struct file *file;
    bool cloexec;

    if (!files)
        return false;
    file = files_next(files, &fd, &cloexec);
    files_put(files);
    if (!file)
        return false;
    file_put(file);
    *from = (u32)fd;
    return true;
}

static const struct pseudo_entry *fd_numbered(void)
{
    return &fd_entry;
}

static const struct pseudo_entry *fdinfo_numbered(void)
{
    return &fdinfo_entry;
}

const struct pseudo_dir proc_fd_dir = {
    .lookup = fd_lookup, .next = fd_next, .numbered = fd_numbered};
const struct pseudo_dir proc_fdinfo_dir = {
    .lookup = fdinfo_lookup, .next = fd_next, .numbered = fdinfo_numbered};
