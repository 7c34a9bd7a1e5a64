/*
 * kernel/fs/pseudo/pseudo.h: file systems that show what the kernel knows: proc(5), sysfs(5). Their entries are
 * rows in tables; node.c turns them into inodes and files.
 */
#ifndef PSEUDO_PSEUDO_H
#define PSEUDO_PSEUDO_H

#include "base/types.h"
#include "task/task.h"
#include "vfs/vfs.h"

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
    int number;              /* of what comes by number: a descriptor, a processor */
};

/* A file of n numbers, separated by tabs, that the superuser may set: one call for each of first, first + 1 ... */
struct pseudo_numbers {
    u64 (*get)(u32 which);
    int (*set)(u32 which, u64 value);
    u32 first, n;
};

/* An entry of a directory. One of the members says what it is. */
struct pseudo_entry {
    const char *name;
    umode mode;                                      /* type and permissions */
    umode (*mode_of)(const struct subject *subject); /* NULL: mode; of what may differ */
    int (*show)(const struct subject *subject, struct text *out);
    ssize_t (*store)(const struct subject *subject, char *text, size_t len); /* text is ended */
    const struct pseudo_numbers *numbers;
    const struct pseudo_dir *dir;
    int (*link)(const struct subject *subject, char *buf, size_t size); /* text of a link: length */
    int (*follow)(const struct subject *subject, struct path *out);     /* where it leads at once */
    const struct file_ops *fops; /* of a file that is no text; its private is the caller's */
    bool guarded;                /* only for those who may look into the process (ptrace(2)) */
};

/* A directory: fixed entries, and maybe ones that come and go. */
struct pseudo_dir {
    const struct pseudo_entry *entries; /* ended by a name of NULL */
    /* A name that is not fixed: the entry to use and its subject (references taken), or -ENOENT. */
    int (*lookup)(const struct subject *subject, const char *name,
                  const struct pseudo_entry **entry, struct subject *out);
    /* The lowest such number >= from; false: none. */
    bool (*next)(const struct subject *subject, u32 *from);
    const struct pseudo_entry *(*numbered)(void); /* the entry of all numbers */
    const char *prefix;                           /* of their names; NULL: the number alone */
};

/* For fs_type.mount: a file system whose top is that entry. */
int pseudo_mount(const struct fs_type *type, u64 magic, const struct pseudo_entry *top,
                 struct super **out);

/* Whom an open file speaks of; the file keeps it. For the file_ops of an entry. */
const struct subject *pseudo_subject(const struct file *file);

#endif
