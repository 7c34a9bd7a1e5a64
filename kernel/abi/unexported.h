/*
 * kernel/abi/unexported.h: constants of Linux's ABI that no UAPI header exports, because C libraries
 * carry them in headers of their own.
 */
#ifndef ABI_UNEXPORTED_H
#define ABI_UNEXPORTED_H

/* signal(7): <asm/signal.h> makes SIGRTMAX of it */
#define _NSIG 64

/* access(2), umount2(2), splice(2) */
#define F_OK              0
#define X_OK              1
#define W_OK              2
#define R_OK              4
#define MNT_FORCE         1
#define MNT_DETACH        2
#define MNT_EXPIRE        4
#define UMOUNT_NOFOLLOW   8
#define SPLICE_F_MOVE     1
#define SPLICE_F_NONBLOCK 2
#define SPLICE_F_MORE     4
#define SPLICE_F_GIFT     8

/* eventfd(2), signalfd(2) */
#define EFD_SEMAPHORE 00000001
#define EFD_NONBLOCK  00004000
#define EFD_CLOEXEC   02000000
#define SFD_NONBLOCK  00004000
#define SFD_CLOEXEC   02000000

/* shmat(2), shmctl(2); <linux/shm.h> cannot be included without a C library */
#define SHM_EXEC      0100000
#define SHM_RDONLY    010000
#define SHM_RND       020000
#define SHM_REMAP     040000
#define SHM_HUGETLB   04000
#define SHM_NORESERVE 010000
#define SHM_LOCK      11
#define SHM_UNLOCK    12
#define SHM_STAT      13
#define SHM_INFO      14
#define SHM_STAT_ANY  15
#define SHM_DEST      01000
#define SHM_LOCKED    02000

/* swapon(2) */
#define SWAP_FLAG_PREFER        0x8000
#define SWAP_FLAG_DISCARD       0x10000
#define SWAP_FLAG_DISCARD_ONCE  0x20000
#define SWAP_FLAG_DISCARD_PAGES 0x40000

/* syslog(2) */
#define SYSLOG_ACTION_CLOSE         0
#define SYSLOG_ACTION_OPEN          1
#define SYSLOG_ACTION_READ          2
#define SYSLOG_ACTION_READ_ALL      3
#define SYSLOG_ACTION_READ_CLEAR    4
#define SYSLOG_ACTION_CLEAR         5
#define SYSLOG_ACTION_CONSOLE_OFF   6
#define SYSLOG_ACTION_CONSOLE_ON    7
#define SYSLOG_ACTION_CONSOLE_LEVEL 8
#define SYSLOG_ACTION_SIZE_UNREAD   9
#define SYSLOG_ACTION_SIZE_BUFFER   10

/* socket(2): families */
#define AF_UNSPEC    0
#define AF_UNIX      1
#define AF_INET      2
#define AF_AX25      3
#define AF_IPX       4
#define AF_APPLETALK 5
#define AF_X25       9
#define AF_INET6     10
#define AF_KEY       15
#define AF_NETLINK   16
#define AF_PACKET    17
#define AF_RDS       21
#define AF_PPPOX     24
#define AF_LLC       26
#define AF_IB        27
#define AF_MPLS      28
#define AF_CAN       29
#define AF_TIPC      30
#define AF_BLUETOOTH 31
#define AF_ALG       38
#define AF_VSOCK     40
#define AF_KCM       41
#define AF_XDP       44

/* socket(2): types */
#define SOCK_STREAM    1
#define SOCK_DGRAM     2
#define SOCK_RAW       3
#define SOCK_RDM       4
#define SOCK_SEQPACKET 5
#define SOCK_DCCP      6
#define SOCK_PACKET    10
#define SOCK_NONBLOCK  00004000
#define SOCK_CLOEXEC   02000000

/* send(2), recv(2) */
#define MSG_OOB          0x1
#define MSG_PEEK         0x2
#define MSG_DONTROUTE    0x4
#define MSG_CTRUNC       0x8
#define MSG_PROBE        0x10
#define MSG_TRUNC        0x20
#define MSG_DONTWAIT     0x40
#define MSG_EOR          0x80
#define MSG_WAITALL      0x100
#define MSG_FIN          0x200
#define MSG_SYN          0x400
#define MSG_CONFIRM      0x800
#define MSG_RST          0x1000
#define MSG_ERRQUEUE     0x2000
#define MSG_NOSIGNAL     0x4000
#define MSG_MORE         0x8000
#define MSG_WAITFORONE   0x10000
#define MSG_BATCH        0x40000
#define MSG_ZEROCOPY     0x4000000
#define MSG_FASTOPEN     0x20000000
#define MSG_CMSG_CLOEXEC 0x40000000
#define SCM_RIGHTS       1
#define SCM_CREDENTIALS  2
#define SHUT_RD          0
#define SHUT_WR          1
#define SHUT_RDWR        2
#define SOMAXCONN        4096

/* setsockopt(2): levels */
#define SOL_IP      0
#define SOL_TCP     6
#define SOL_UDP     17
#define SOL_IPV6    41
#define SOL_RAW     255
#define SOL_PACKET  263
#define SOL_NETLINK 270
#define SOL_VSOCK   287

/* fields of numbers that hold an enumerated value beside flags */
#define SOCK_TYPE_MASK    0xf
#define SCHED_POLICY_MASK 0x3fffffff
#define MPOL_MODE_MASK    0x1fff

#endif
