/* kernel/fs/overlay/overlay.h: the face of the overlay file system. */
#ifndef OVERLAY_OVERLAY_H
#define OVERLAY_OVERLAY_H

struct super;

/*
 * Shows the tree of lower, which is never written, under what was changed since: an upper tmpfs
 * that belongs to this file system alone. options are those of tmpfs. Keeps lower active for
 * itself.
 */
int overlay_super_create(struct super *lower, const char *options, struct super **out);

#endif
