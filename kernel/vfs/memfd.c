/* kernel/vfs/memfd.c: memfd_create(2): a file of memory alone. */
#include "abi/newer.h"
#include "mm/uaccess.h"
#include "vfs/file.h"
#include "vfs/files.h"

#include "syscall_proto.h"

#include <linux/fcntl.h>
#include <linux/memfd.h>
#include <linux/stat.h>

#define NAME_PREFIX  "memfd:"
#define NAME_LONGEST (255 - (sizeof(NAME_PREFIX) - 1)) /* of what the program gives */
#define HUGE_SIZES   (0x3fU << MFD_HUGE_SHIFT)
#define FLAGS        (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL | MFD_EXEC)

static int check_flags(unsigned int flags)
{
    if (flags & ~(FLAGS | MFD_HUGETLB | (flags & MFD_HUGETLB ? HUGE_SIZES : 0)))
        return -EINVAL;
    if ((flags & MFD_EXEC) && (flags & MFD_NOEXEC_SEAL))
        return -EINVAL;
    return flags & MFD_HUGETLB ? -ENOSYS : 0; /* as without hugetlbfs */
}

long sys_memfd_create(const char __user *uname, unsigned int flags)
{
    char text[256] = NAME_PREFIX;
    char *name = text + sizeof(NAME_PREFIX) - 1;
    int err = check_flags(flags);

    if (err)
        return err;

    ssize_t len = strncpy_from_user(name, uname, NAME_LONGEST + 1);

    if (len < 0)
        return len;
    if ((size_t)len > NAME_LONGEST)
        return -EINVAL;

    bool noexec = flags & MFD_NOEXEC_SEAL;
    unsigned int seals = flags & MFD_ALLOW_SEALING ? 0 : F_SEAL_SEAL;

    if (noexec)
        seals = F_SEAL_EXEC;

    struct file *file = file_create_memory(text, S_IFREG | (noexec ? 0666 : 0777), 0, seals);

    if (IS_ERR(file))
        return PTR_ERR(file);
    return fd_create(file, flags & MFD_CLOEXEC ? O_CLOEXEC : 0);
}
