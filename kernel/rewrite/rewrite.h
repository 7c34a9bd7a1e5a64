/*
 * kernel/rewrite/rewrite.h: system-call instructions of programs become jumps into the kernel; docs/entry.md, "Rewritten
 * sites". What is known of a file's text hangs on its inode, so that every later mapping of it starts rewritten.
 */
#ifndef REWRITE_REWRITE_H
#define REWRITE_REWRITE_H

#include "base/types.h"

struct boot_info;
struct file;
struct inode;
struct text_image;

void rewrite_start(const struct boot_info *boot);

/* The rewritten image of this range of the file, which is about to be mapped as private text: counted, or NULL. */
struct text_image *rewrite_attach(struct file *file, u64 offset, u64 len);
/* An inode goes: nobody maps it any more. */
void rewrite_forget(struct inode *inode);

/*
 * The calling thread's registers, as its program knows them: a thread that stands in a hole or a stub is moved to the
 * instruction whose work has not been done yet. No lock may be held.
 */
void rewrite_settle(void);
/* A single-stepped thread stands at the begin of a hole or a stub: what the original would have done by now is done. */
void rewrite_step(void);

#endif
