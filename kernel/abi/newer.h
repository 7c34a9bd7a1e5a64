/*
 * kernel/abi/newer.h: what Linux's UAPI headers got after version 6.1, the one that is built against.
 * A macro that the headers have already wins; an enumerator cannot be asked for by #ifndef, so those
 * go by the headers' version.
 */
#ifndef ABI_NEWER_H
#define ABI_NEWER_H

#include <linux/types.h>
#include <linux/version.h>

/* fcntl(2), execveat(2), name_to_handle_at(2) */
#ifndef F_DUPFD_QUERY
#define F_DUPFD_QUERY (1024 + 3)
#endif
#ifndef F_CREATED_QUERY
#define F_CREATED_QUERY (1024 + 4)
#endif
#ifndef AT_EXECVE_CHECK
#define AT_EXECVE_CHECK 0x10000
#endif
#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID 0x200
#endif
#ifndef AT_HANDLE_MNT_ID_UNIQUE
#define AT_HANDLE_MNT_ID_UNIQUE 0x001
#endif
#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE 0x002
#endif

/* preadv2(2), statx(2) */
#ifndef RWF_NOAPPEND
#define RWF_NOAPPEND 0x20
#endif
#ifndef RWF_ATOMIC
#define RWF_ATOMIC 0x40
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif
#ifndef STATX_SUBVOL
#define STATX_SUBVOL 0x8000U
#endif
#ifndef STATX_WRITE_ATOMIC
#define STATX_WRITE_ATOMIC 0x10000U
#endif
#ifndef STATX_DIO_READ_ALIGN
#define STATX_DIO_READ_ALIGN 0x20000U
#endif

/* mounts */
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif
#ifndef LISTMOUNT_REVERSE
#define LISTMOUNT_REVERSE (1 << 0)
#endif
#ifndef LSMT_ROOT
#define LSMT_ROOT 0xffffffffffffffffULL
#endif

/* memory */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x8U
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x10U
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif
#ifndef MADV_GUARD_REMOVE
#define MADV_GUARD_REMOVE 103
#endif
#ifndef SHADOW_STACK_SET_TOKEN
#define SHADOW_STACK_SET_TOKEN (1ULL << 0)
#endif

/* sockets */
#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SO_PASSRIGHTS
#define SO_PASSRIGHTS 83
#endif

/* futex2 */
#ifndef FUTEX2_SIZE_U8
#define FUTEX2_SIZE_U8 0x00
#endif
#ifndef FUTEX2_SIZE_U16
#define FUTEX2_SIZE_U16 0x01
#endif
#ifndef FUTEX2_SIZE_U32
#define FUTEX2_SIZE_U32 0x02
#endif
#ifndef FUTEX2_SIZE_U64
#define FUTEX2_SIZE_U64 0x03
#endif
#ifndef FUTEX2_SIZE_MASK
#define FUTEX2_SIZE_MASK 0x03
#endif
#ifndef FUTEX2_NUMA
#define FUTEX2_NUMA 0x04
#endif
#ifndef FUTEX2_MPOL
#define FUTEX2_MPOL 0x08
#endif
#ifndef FUTEX2_PRIVATE
#define FUTEX2_PRIVATE 0x80
#endif

/* tasks */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD 0x80
#endif
#ifndef PIDFD_SIGNAL_THREAD
#define PIDFD_SIGNAL_THREAD (1UL << 0)
#endif
#ifndef PIDFD_SIGNAL_THREAD_GROUP
#define PIDFD_SIGNAL_THREAD_GROUP (1UL << 1)
#endif
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1UL << 2)
#endif
#ifndef SCHED_EXT
#define SCHED_EXT 7
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef PR_MDWE_REFUSE_EXEC_GAIN
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#endif
#ifndef PR_MDWE_NO_INHERIT
#define PR_MDWE_NO_INHERIT (1UL << 1)
#endif
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif
#ifndef PR_SET_MEMORY_MERGE
#define PR_SET_MEMORY_MERGE 67
#endif
#ifndef PR_GET_MEMORY_MERGE
#define PR_GET_MEMORY_MERGE 68
#endif
#ifndef PR_GET_AUXV
#define PR_GET_AUXV 0x41555856
#endif
#ifndef ARCH_SHSTK_ENABLE
#define ARCH_SHSTK_ENABLE 0x5001
#endif
#ifndef ARCH_SHSTK_DISABLE
#define ARCH_SHSTK_DISABLE 0x5002
#endif
#ifndef ARCH_SHSTK_LOCK
#define ARCH_SHSTK_LOCK 0x5003
#endif
#ifndef ARCH_SHSTK_UNLOCK
#define ARCH_SHSTK_UNLOCK 0x5004
#endif
#ifndef ARCH_SHSTK_STATUS
#define ARCH_SHSTK_STATUS 0x5005
#endif

/* io_uring(7), Landlock, security modules */
#ifndef IORING_ENTER_ABS_TIMER
#define IORING_ENTER_ABS_TIMER (1U << 5)
#endif
#ifndef LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF
#define LANDLOCK_RESTRICT_SELF_LOG_SAME_EXEC_OFF (1U << 0)
#endif
#ifndef LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON
#define LANDLOCK_RESTRICT_SELF_LOG_NEW_EXEC_ON (1U << 1)
#endif
#ifndef LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF
#define LANDLOCK_RESTRICT_SELF_LOG_SUBDOMAINS_OFF (1U << 2)
#endif
#ifndef LSM_ID_UNDEF
#define LSM_ID_UNDEF 0
#endif
#ifndef LSM_ID_CAPABILITY
#define LSM_ID_CAPABILITY 100
#endif
#ifndef LSM_ATTR_UNDEF
#define LSM_ATTR_UNDEF 0
#endif
#ifndef LSM_ATTR_CURRENT
#define LSM_ATTR_CURRENT 100
#endif
#ifndef LSM_ATTR_EXEC
#define LSM_ATTR_EXEC 101
#endif
#ifndef LSM_ATTR_FSCREATE
#define LSM_ATTR_FSCREATE 102
#endif
#ifndef LSM_ATTR_KEYCREATE
#define LSM_ATTR_KEYCREATE 103
#endif
#ifndef LSM_ATTR_PREV
#define LSM_ATTR_PREV 104
#endif
#ifndef LSM_ATTR_SOCKCREATE
#define LSM_ATTR_SOCKCREATE 105
#endif
#ifndef LSM_FLAG_SINGLE
#define LSM_FLAG_SINGLE 0x0001
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#define MEMBARRIER_CMD_GET_REGISTRATIONS (1 << 9)
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)
struct cachestat_range {
    __u64 off;
    __u64 len;
};

struct cachestat {
    __u64 nr_cache;
    __u64 nr_dirty;
    __u64 nr_writeback;
    __u64 nr_evicted;
    __u64 nr_recently_evicted;
};
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 6, 0)
#define FSCONFIG_CMD_CREATE_EXCL 8
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
#define LANDLOCK_RULE_NET_PORT          2
#define LANDLOCK_ACCESS_NET_BIND_TCP    (1ULL << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ULL << 1)

struct landlock_net_port_attr {
    __u64 allowed_access;
    __u64 port;
};
#endif

/* statmount(2), listmount(2): param is a mask of STATMOUNT_, or the last mount already listed. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
struct mnt_id_req {
    __u32 size;
    __u32 spare;
    __u64 mnt_id;
    __u64 param;
    __u64 mnt_ns_id; /* since 6.11 */
};

#define MNT_ID_REQ_SIZE_VER0 24
#define MNT_ID_REQ_SIZE_VER1 32

/* The fields that hold text are offsets into str. */
struct statmount {
    __u32 size;
    __u32 mnt_opts;
    __u64 mask;
    __u32 sb_dev_major;
    __u32 sb_dev_minor;
    __u64 sb_magic;
    __u32 sb_flags;
    __u32 fs_type;
    __u64 mnt_id;
    __u64 mnt_parent_id;
    __u32 mnt_id_old;
    __u32 mnt_parent_id_old;
    __u64 mnt_attr;
    __u64 mnt_propagation;
    __u64 mnt_peer_group;
    __u64 mnt_master;
    __u64 propagate_from;
    __u32 mnt_root;
    __u32 mnt_point;
    __u64 mnt_ns_id;
    __u32 fs_subtype;
    __u32 sb_source;
    __u32 opt_num;
    __u32 opt_array;
    __u32 opt_sec_num;
    __u32 opt_sec_array;
    __u64 supported_mask;
    __u32 mnt_uidmap_num;
    __u32 mnt_uidmap;
    __u32 mnt_gidmap_num;
    __u32 mnt_gidmap;
    __u64 spare[43];
    char str[];
};

#define STATMOUNT_SB_BASIC       0x00000001U
#define STATMOUNT_MNT_BASIC      0x00000002U
#define STATMOUNT_PROPAGATE_FROM 0x00000004U
#define STATMOUNT_MNT_ROOT       0x00000008U
#define STATMOUNT_MNT_POINT      0x00000010U
#define STATMOUNT_FS_TYPE        0x00000020U
#define STATMOUNT_MNT_NS_ID      0x00000040U
#define STATMOUNT_MNT_OPTS       0x00000080U
#define STATMOUNT_FS_SUBTYPE     0x00000100U
#define STATMOUNT_SB_SOURCE      0x00000200U
#define STATMOUNT_OPT_ARRAY      0x00000400U
#define STATMOUNT_OPT_SEC_ARRAY  0x00000800U
#define STATMOUNT_SUPPORTED_MASK 0x00001000U
#define STATMOUNT_MNT_UIDMAP     0x00002000U
#define STATMOUNT_MNT_GIDMAP     0x00004000U

struct lsm_ctx {
    __u64 id;
    __u64 flags;
    __u64 len;
    __u64 ctx_len;
    __u8 ctx[];
};
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)
#define MPOL_WEIGHTED_INTERLEAVE 6
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
struct xattr_args {
    __u64 value __attribute__((aligned(8)));
    __u32 size;
    __u32 flags;
};
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 17, 0)
struct file_attr {
    __u64 fa_xflags; /* FS_XFLAG_ */
    __u32 fa_extsize;
    __u32 fa_nextents;
    __u32 fa_projid;
    __u32 fa_cowextsize;
};
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 19, 0)
struct ns_id_req {
    __u32 size;
    __u32 spare;
    __u64 ns_id;
    __u32 ns_type;
    __u32 spare2;
    __u64 user_ns_id;
};
#endif

#endif
