/* kernel/fs/cpio/cpio.h: a cpio archive of the host, unpacked into memory when it is mounted. */
#ifndef CPIO_CPIO_H
#define CPIO_CPIO_H

struct super;

/* The archive's descriptor is taken over, also when this fails. options are those of tmpfs. */
int cpio_super_create(int file, const char *options, struct super **out);

#endif
