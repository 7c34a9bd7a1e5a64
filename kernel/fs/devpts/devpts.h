/*
 * kernel/fs/devpts/devpts.h: the face of devpts, the file system of pseudo-terminal slaves (pty(7)). Each mount has
 * numbers and nodes of its own, and a node ptmx.
 */
#ifndef DEVPTS_DEVPTS_H
#define DEVPTS_DEVPTS_H

#include "base/types.h"

struct inode;
struct path;
struct super;
struct tty;

#define DEVPTS_MAX (1U << 20) /* numbers that a device number can hold */

int devpts_start(void); /* registers the type */

/*
 * The root of the devpts that an opened /dev/ptmx belongs to: the one that it stands in, or that is mounted at "pts"
 * beside it. Counted. -ENODEV.
 */
int devpts_of_ptmx(const struct path *ptmx, struct path *root);

/*
 * A node for a new slave, owned by the caller, which is its terminal's until devpts_remove(); so long the file system
 * stays, even unmounted. The number is its own until devpts_free(), which also puts the node. -ENOSPC, -ENOMEM. Sets
 * the terminal's device number.
 */
int devpts_add(struct super *super, struct tty *tty, u32 *number, struct inode **node);
void devpts_remove(struct inode *node);
void devpts_free(struct inode *node, u32 number);

struct tty *devpts_terminal(
    struct inode *node); /* counted; NULL: it is gone, or that is no such node */

#endif
