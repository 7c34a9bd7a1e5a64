/*
 * target/mock/replies.h: every field of every reply that a target gives, as a table:
 *   X(call, field, kind)  of target_CALL(); `result` is what it returns. `fault` and `event`: what is handed in with
 *                         upcall_fault(), upcall_kernel_fault() and upcall_event()
 *
 * Kinds say what a field means, for whoever makes lies up:
 *   STATUS  0 or a negative errno             COUNT   0 to what was asked for, or a negative errno
 *   FILE    a descriptor or a negative errno  SIZE    bytes
 *   TIME    ns                                NUMBER  a number of 2, 4 or 8 bytes
 *   BYTES   a buffer, as far as it was filled HANDLE  a pointer or number that comes back
 *   MASK    poll(2)'s bits, or a negative errno
 *
 * Not here is what is memory of the target's own and no message: target_xstate(), target_symbols(), and
 * the fields of struct target_thread that its kernel thread stands on (regs, mode, sp, frame).
 */
#ifndef MOCK_REPLIES_H
#define MOCK_REPLIES_H

#define MOCK_REPLY_TABLE(X)                                                                        \
    X(thread_start, result, STATUS)                                                                \
    X(space_fork, result, STATUS)                                                                  \
    X(space_blank, result, STATUS)                                                                 \
    X(space_blank, space, HANDLE)                                                                  \
    X(thread_probe, rip, NUMBER)                                                                   \
    X(thread_probe, rbp, NUMBER)                                                                   \
    X(thread_cputime, result, TIME)                                                                \
    X(space_cputime, result, TIME)                                                                 \
    X(fault_counts, minor, NUMBER)                                                                 \
    X(fault_counts, major, NUMBER)                                                                 \
    X(affinity_get, result, COUNT)                                                                 \
    X(affinity_get, mask, BYTES)                                                                   \
    X(affinity_set, result, STATUS)                                                                \
    X(memory_barrier, result, STATUS)                                                              \
    X(map_anon, result, STATUS)                                                                    \
    X(map_pages, result, STATUS)                                                                   \
    X(map_file, result, STATUS)                                                                    \
    X(protect, result, STATUS)                                                                     \
    X(unmap, result, STATUS)                                                                       \
    X(remap, result, STATUS)                                                                       \
    X(advise, result, STATUS)                                                                      \
    X(resident, result, STATUS)                                                                    \
    X(resident, pages, BYTES)                                                                      \
    X(space_resident, result, STATUS)                                                              \
    X(space_resident, own, NUMBER)                                                                 \
    X(space_resident, shared, NUMBER)                                                              \
    X(space_peek, result, COUNT)                                                                   \
    X(space_peek, data, BYTES)                                                                     \
    X(space_poke, result, COUNT)                                                                   \
    X(user_read, result, SIZE)                                                                     \
    X(user_read, data, BYTES)                                                                      \
    X(user_write, result, SIZE)                                                                    \
    X(user_zero, result, SIZE)                                                                     \
    X(user_strlen, result, COUNT)                                                                  \
    X(user_cmpxchg, result, STATUS)                                                                \
    X(user_cmpxchg, seen, NUMBER)                                                                  \
    X(wait, result, STATUS)                                                                        \
    X(poll, result, MASK)                                                                          \
    X(ready_add, result, STATUS)                                                                   \
    X(ready_wait, result, COUNT)                                                                   \
    X(ready_wait, cookie, HANDLE)                                                                  \
    X(ready_wait, events, MASK)                                                                    \
    X(pages_fill, result, STATUS)                                                                  \
    X(pages_drop, result, STATUS)                                                                  \
    X(pages_seek, result, NUMBER)                                                                  \
    X(clock_read, result, TIME)                                                                    \
    X(clock_resolution, result, TIME)                                                              \
    X(random, result, STATUS)                                                                      \
    X(random, data, BYTES)                                                                         \
    X(console_read, result, COUNT)                                                                 \
    X(console_read, data, BYTES)                                                                   \
    X(console_write, result, COUNT)                                                                \
    X(console_seek, result, SIZE)                                                                  \
    X(console_ioctl, result, STATUS)                                                               \
    X(console_ioctl, data, BYTES)                                                                  \
    X(file_open, result, FILE)                                                                     \
    X(file_stat, result, STATUS)                                                                   \
    X(file_stat, ino, NUMBER)                                                                      \
    X(file_stat, size, NUMBER)                                                                     \
    X(file_stat, blocks, NUMBER)                                                                   \
    X(file_stat, rdev, NUMBER)                                                                     \
    X(file_stat, dev, NUMBER)                                                                      \
    X(file_stat, mode, NUMBER)                                                                     \
    X(file_stat, nlink, NUMBER)                                                                    \
    X(file_stat, uid, NUMBER)                                                                      \
    X(file_stat, gid, NUMBER)                                                                      \
    X(file_stat, blksize, NUMBER)                                                                  \
    X(file_stat, atime, TIME)                                                                      \
    X(file_stat, mtime, TIME)                                                                      \
    X(file_stat, ctime, TIME)                                                                      \
    X(file_stat, btime, TIME)                                                                      \
    X(file_read, result, COUNT)                                                                    \
    X(file_read, data, BYTES)                                                                      \
    X(file_write, result, COUNT)                                                                   \
    X(file_seek, result, SIZE)                                                                     \
    X(file_readdir, result, COUNT)                                                                 \
    X(file_readdir, data, BYTES)                                                                   \
    X(file_readlink, result, COUNT)                                                                \
    X(file_readlink, data, BYTES)                                                                  \
    X(file_truncate, result, STATUS)                                                               \
    X(file_allocate, result, STATUS)                                                               \
    X(file_sync, result, STATUS)                                                                   \
    X(file_mkdir, result, STATUS)                                                                  \
    X(file_mknod, result, STATUS)                                                                  \
    X(file_unlink, result, STATUS)                                                                 \
    X(file_rename, result, STATUS)                                                                 \
    X(file_link, result, STATUS)                                                                   \
    X(file_symlink, result, STATUS)                                                                \
    X(file_chmod, result, STATUS)                                                                  \
    X(file_chown, result, STATUS)                                                                  \
    X(file_utimes, result, STATUS)                                                                 \
    X(file_statfs, result, STATUS)                                                                 \
    X(file_statfs, type, NUMBER)                                                                   \
    X(file_statfs, bsize, NUMBER)                                                                  \
    X(file_statfs, blocks, NUMBER)                                                                 \
    X(file_statfs, bfree, NUMBER)                                                                  \
    X(file_statfs, bavail, NUMBER)                                                                 \
    X(file_statfs, files, NUMBER)                                                                  \
    X(file_statfs, ffree, NUMBER)                                                                  \
    X(file_statfs, namelen, NUMBER)                                                                \
    X(file_statfs, frsize, NUMBER)                                                                 \
    X(file_statfs, flags, NUMBER)                                                                  \
    X(socket_open, result, FILE)                                                                   \
    X(socket_bind, result, STATUS)                                                                 \
    X(socket_listen, result, STATUS)                                                               \
    X(socket_accept, result, FILE)                                                                 \
    X(socket_accept, family, NUMBER)                                                               \
    X(socket_accept, port, NUMBER)                                                                 \
    X(socket_accept, scope, NUMBER)                                                                \
    X(socket_accept, ip, BYTES)                                                                    \
    X(socket_connect, result, STATUS)                                                              \
    X(socket_name, result, STATUS)                                                                 \
    X(socket_name, family, NUMBER)                                                                 \
    X(socket_name, port, NUMBER)                                                                   \
    X(socket_name, scope, NUMBER)                                                                  \
    X(socket_name, ip, BYTES)                                                                      \
    X(socket_send, result, COUNT)                                                                  \
    X(socket_receive, result, COUNT)                                                               \
    X(socket_receive, data, BYTES)                                                                 \
    X(socket_receive, family, NUMBER)                                                              \
    X(socket_receive, port, NUMBER)                                                                \
    X(socket_receive, scope, NUMBER)                                                               \
    X(socket_receive, ip, BYTES)                                                                   \
    X(socket_shutdown, result, STATUS)                                                             \
    X(socket_option, result, STATUS)                                                               \
    X(socket_option, value, NUMBER)                                                                \
    X(socket_count, result, COUNT)                                                                 \
    X(fault, signo, NUMBER)                                                                        \
    X(fault, code, NUMBER)                                                                         \
    X(fault, address, NUMBER)                                                                      \
    X(fault, trapno, NUMBER)                                                                       \
    X(fault, error, NUMBER)                                                                        \
    X(event, event, NUMBER)

#endif
