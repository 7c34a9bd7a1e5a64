/* kernel/fs/procfs/internal.h: entries are rows in tables; node.c turns them into inodes and files. */
#ifndef PROCFS_INTERNAL_H
#define PROCFS_INTERNAL_H

#include "base/types.h"
#include "fs/procfs/procfs.h"
#include "task/task.h"
#include "vfs/vfs.h"

struct boot_info;
extern const struct boot_info *procfs_boot; /* constant after the start */

/* Text that a file shows: grows as it is printed into. */
struct text {
    char *data;
    size_t len, room;
    bool failed; /* no memory */
};
void text_print(struct text *text, const char *fmt, ...) __printf(2, 3);
void text_add(struct text *text, const void *data, size_t len);

/* Whom an inode speaks of. Both NULL: nobody. */
struct subject {
    struct process *process; /* counted */
    struct task *task;       /* counted; set below task/TID, and for a process its leader */
    int fd;                  /* of fd/N and fdinfo/N */
};

/* An entry of a directory. One of the members says what it is. */
struct proc_entry {
    const char *name;
    umode mode; /* type and permissions */
    int (*show)(const struct subject *subject, struct text *out);
    ssize_t (*store)(const struct subject *subject, char *text, size_t len); /* text is ended */
    const struct proc_dir *dir;
    int (*link)(const struct subject *subject, char *buf, size_t size); /* text of a link: length */
    int (*follow)(const struct subject *subject, struct path *out);     /* where it leads at once */
    bool guarded; /* only for those who may look into the process (ptrace(2)) */
};

/* A directory: fixed entries, and maybe ones that come and go. */
struct proc_dir {
    const struct proc_entry *entries; /* ended by a name of NULL */
    /* A name that is not fixed: the entry to use and its subject (references taken), or -ENOENT. */
    int (*lookup)(const struct subject *subject, const char *name, const struct proc_entry **entry,
                  struct subject *out);
    /* The lowest such number >= from; false: none. */
    bool (*next)(const struct subject *subject, u32 *from);
    const struct proc_entry *(*numbered)(void); /* the entry of all numbers */
};

extern const struct proc_dir proc_root_dir, proc_process_dir, proc_sys_dir;
extern const struct proc_entry proc_global_entries[];

/* links.c */
extern const struct proc_dir proc_fd_dir, proc_fdinfo_dir, proc_task_dir;
int proc_exe_link(const struct subject *s, char *buf, size_t size);
int proc_exe_follow(const struct subject *s, struct path *out);
int proc_cwd_link(const struct subject *s, char *buf, size_t size);
int proc_cwd_follow(const struct subject *s, struct path *out);
int proc_root_link(const struct subject *s, char *buf, size_t size);
int proc_root_follow(const struct subject *s, struct path *out);

u32 proc_fd_size(const struct subject *s);
umode proc_umask(const struct subject *s);

/* maps.c */
int proc_maps(const struct subject *s, struct text *out);
int proc_smaps(const struct subject *s, struct text *out);
int proc_mounts(const struct subject *s, struct text *out);
int proc_mountinfo(const struct subject *s, struct text *out);

/* The state letter and word of proc(5). */
char proc_state(const struct subject *s, const char **word);

#endif
