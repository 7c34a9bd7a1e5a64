/* kernel/fs/procfs/internal.h: the tables of proc(5), and what fills them in. */
#ifndef PROCFS_INTERNAL_H
#define PROCFS_INTERNAL_H

#include "base/types.h"
#include "fs/procfs/procfs.h"
#include "fs/pseudo/pseudo.h"
#include "task/task.h"
#include "vfs/vfs.h"

struct boot_info;
extern const struct boot_info *procfs_boot; /* constant after the start */

extern const struct pseudo_dir proc_root_dir, proc_process_dir, proc_sys_dir, proc_net_dir,
    proc_sys_net_dir;
extern const struct pseudo_entry proc_global_entries[];

/* ipc.c */
extern const struct pseudo_dir proc_sysvipc_dir, proc_mqueue_dir;
extern const struct pseudo_numbers proc_shmmax, proc_shmall, proc_shmmni, proc_sem, proc_msgmax,
    proc_msgmnb, proc_msgmni, proc_aio_max;
int proc_show_aio_nr(const struct subject *s, struct text *out);

/* links.c */
extern const struct pseudo_dir proc_fd_dir, proc_fdinfo_dir, proc_task_dir;
int proc_exe_link(const struct subject *s, char *buf, size_t size);
int proc_exe_follow(const struct subject *s, struct path *out);
int proc_cwd_link(const struct subject *s, char *buf, size_t size);
int proc_cwd_follow(const struct subject *s, struct path *out);
int proc_root_link(const struct subject *s, char *buf, size_t size);
int proc_root_follow(const struct subject *s, struct path *out);

u32 proc_fd_size(const struct subject *s);
umode proc_umask(const struct subject *s);

/* status.c */
struct proc_sizes {
    u64 total, data, exec, stack, shared, locked, peak; /* pages */
    u64 start_code, end_code, start_data, end_data, start_stack, start_brk;
    u64 arg_start, arg_end, env_start, env_end;
};
void proc_sizes_read(const struct subject *s, struct proc_sizes *z);
int proc_stat(const struct subject *s, struct text *out);
int proc_statm(const struct subject *s, struct text *out);
int proc_status(const struct subject *s, struct text *out);

/* memory.c */
extern const struct file_ops proc_mem_ops;

/* ns.c */
extern const struct pseudo_dir proc_ns_dir;

/* maps.c */
int proc_maps(const struct subject *s, struct text *out);
int proc_smaps(const struct subject *s, struct text *out);
int proc_smaps_rollup(const struct subject *s, struct text *out);
int proc_mounts(const struct subject *s, struct text *out);
int proc_mountinfo(const struct subject *s, struct text *out);

/* The state letter and word of proc(5). */
char proc_state(const struct subject *s, const char **word);

#endif
