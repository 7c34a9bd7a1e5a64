/* kernel/task/exec_args.c: the strings that execve(2) hands over, copied before anything changes. */
#include "task/exec.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"
#include "mm/uaccess.h"
#include "task/limits.h"

#define STRING_MAX   (32 * PAGE_SIZE) /* one string with its zero; MAX_ARG_STRLEN */
#define LIMIT_MIN    131072UL         /* never less than this, whatever the stack's limit */
#define LIMIT_MAX    (6UL << 20)      /* three quarters of the default stack */
#define STRINGS_ROOM 1024             /* at first */

size_t exec_args_limit(void)
{
    u64 limit = task_rlimit(RLIMIT_STACK) / 4;

    return MAX(MIN(limit, LIMIT_MAX), LIMIT_MIN);
}

static int strings_reserve(struct strings *to, size_t more)
{
    size_t room = MAX(to->room, (size_t)STRINGS_ROOM);
    char *text;

    if (to->len + more <= to->room)
        return 0;
    while (room < to->len + more)
        room *= 2;
    text = krealloc(to->text, room);
    if (!text)
        return -ENOMEM;
    to->text = text;
    to->room = room;
    return 0;
}

int strings_add(struct strings *to, const char *text, size_t len)
{
    int err = strings_reserve(to, len + 1);

    if (err)
        return err;
    memcpy(to->text + to->len, text, len);
    to->text[to->len + len] = '\0';
    to->len += len + 1;
    to->n++;
    return 0;
}

static int add_from_user(struct strings *to, const char __user *string, size_t *left)
{
    ssize_t len = strnlen_user(string, STRING_MAX);
    size_t size = (size_t)len + 1;
    int err;

    if (len < 0)
        return (int)len;
    if (size > STRING_MAX || size + sizeof(u64) > *left)
        return -E2BIG;
    err = strings_reserve(to, size);
    if (!err)
        err = copy_from_user(to->text + to->len, string, size);
    if (err)
        return err;

    /* Another thread may write there meanwhile: what counts is what was copied. */
    char *end = memchr(to->text + to->len, 0, size);

    size = end ? (size_t)(end - (to->text + to->len)) + 1 : size;
    to->text[to->len + size - 1] = '\0';
    to->len += size;
    to->n++;
    *left -= size + sizeof(u64);
    return 0;
}

int strings_from_user(struct strings *to, const char __user *const __user *array, size_t *left)
{
    for (; array; array++) {
        const char __user *string;
        int err;

        if (copy_from_user(&string, array, sizeof string) != 0)
            return -EFAULT;
        if (!string)
            break;
        err = add_from_user(to, string, left);
        if (err)
            return err;
    }
    return 0;
}

int strings_from_kernel(struct strings *to, const char *const *array)
{
    int err = 0;

    for (; !err && *array; array++)
        err = strings_add(to, *array, strlen(*array));
    return err;
}

void strings_free(struct strings *strings)
{
    kfree(strings->text);
    memset(strings, 0, sizeof *strings);
}
