/*
 * kernel/net/unix/inflight.h: open files that lie in the queues of sockets. A socket of AF_UNIX that is held by
 * nothing but queues which in turn nobody can reach is garbage, and is collected.
 */
#ifndef UNIX_INFLIGHT_H
#define UNIX_INFLIGHT_H

#include "base/types.h"

struct file;
struct scm_files;

bool file_is_unix(const struct file *file);

/* The files set out. -ETOOMANYREFS: the user has more on their way than RLIMIT_NOFILE. */
int inflight_add(struct scm_files *files);
void inflight_remove(struct scm_files *files); /* they have arrived */
/* A copy that is not in flight, with references of its own. NULL: no memory. */
struct scm_files *inflight_copy(struct scm_files *files);
/* Puts the files and frees the list. Files that this closes may hold others in turn: no recursion. */
void inflight_reap(struct scm_files *files);

/* Looks for garbage. No lock held. */
void inflight_collect(void);
void inflight_socket_ended(void); /* the same, when it is time for it */

#endif
