/* kernel/vfs/mmap.h: mappings of files, for exec and for /proc. */
#ifndef VFS_MMAP_H
#define VFS_MMAP_H

#include "base/types.h"

struct file;
struct mm;
struct path;
struct target_space;
struct vma;

/*
 * Maps a file into the caller's space, as mmap(2) does: an address or a negative errno. flags are MAP_ flags;
 * the file's mode is checked. exec uses it for a program's segments.
 */
s64 mmap_file(struct file *file, u64 addr, u64 len, u32 prot, u64 flags, u64 offset);

/* The file behind a mapping, not counted; NULL for memory without one. The space's lock is held. */
struct file *vma_file(const struct vma *vma);

/*
 * The text of /proc/PID/maps (or smaps, smaps_rollup) of a space, with paths as seen from root: allocated, its
 * length in *len. space: where its threads stand, NULL: nowhere. ERR_PTR(-ENOMEM). No lock may be held.
 */
enum maps_kind { MAPS_PLAIN, MAPS_SMAPS, MAPS_ROLLUP };
char *maps_text(struct mm *mm, struct target_space *space, const struct path *root,
                enum maps_kind kind, size_t *len);

#endif
