/* kernel/fs/hostfs/hostfs.h: the face of hostfs, a directory of the host as a file system. */
#ifndef HOSTFS_HOSTFS_H
#define HOSTFS_HOSTFS_H

#include "base/types.h"

struct super;

/* Registers the type. descriptors: how many the host lets us have in all. */
int hostfs_start(u64 descriptors);

/*
 * The tree below a host directory, whose descriptor is taken over, also when this fails. Programs
 * cannot mount one: which host directories they see is decided by who starts the instance.
 */
int hostfs_super_create(int file, bool writable, struct super **out);

#endif
