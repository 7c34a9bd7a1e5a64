/* kernel/net/unix/proc.c: /proc/net/unix, proc(5). */
#include "base/fmt.h"
#include "base/string.h"
#include "net/unix/internal.h"
#include "net/unix/unix.h"

#include <linux/net.h>

#define LINE_MAX (128 + sizeof(struct sockaddr_un))

/* As Linux shows it: abstract names begin with '@', and so do zero bytes in them. */
static size_t name_print(const struct unix_name *name, char *out)
{
    size_t len = name->len - offsetof(struct sockaddr_un, sun_path);
    const char *text = name->address.sun_path;

    if (text[0])
        len--; /* the zero at the end */
    for (size_t i = 0; i < len; i++)
        out[i] = text[i] ? text[i] : '@';
    return len;
}

static int line_print(struct unix_sock *u, char *line)
{
    bool listening, connected;

    spin_lock(&u->sock.lock);
    listening = u->state == UNIX_LISTENING;
    connected = u->state == UNIX_CONNECTED;
    spin_unlock(&u->sock.lock);
    /* Linux hides addresses from those who may not see them; here nobody may. */
    return snprintf(line, LINE_MAX, "%016x: %08X %08X %08X %04X %02X %5llu", 0,
                    refcount_read(&u->ref), 0U, listening ? 0x10000U : 0U, u->sock.type,
                    connected ? SS_CONNECTED : SS_UNCONNECTED,
                    (unsigned long long)u->sock.file.inode->ino);
}

void unix_show(void (*emit)(void *to, const char *line, size_t len), void *to)
{
    static const char head[] = "Num       RefCount Protocol Flags    Type St Inode Path\n";
    struct unix_sock *u = NULL;
    char line[LINE_MAX];

    emit(to, head, sizeof(head) - 1);
    while ((u = unix_names_next(u))) {
        size_t len = (size_t)line_print(u, line);
        const struct unix_name *name = unix_name(u);

        if (name) {
            line[len++] = ' ';
            len += name_print(name, line + len);
        }
        line[len++] = '\n';
        emit(to, line, len);
    }
}
