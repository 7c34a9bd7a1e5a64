/* kernel/fs/procfs/ns.c: /proc/PID/ns, namespaces(7). */
#include "base/errno.h"
#include "base/fmt.h"
#include "fs/procfs/internal.h"
#include "task/namespaces.h"

static int ns_link(const struct subject *s, enum ns_kind kind, char *buf, size_t size)
{
    AUTO(namespaces_put) struct namespaces *ns = process_namespaces(s->process);

    if (!ns)
        return -ENOENT;
    return (int)MIN((size_t)snprintf(buf, size, "%s:[%u]", ns_names[kind], ns_number(ns, kind)),
                    size);
}

static int ns_follow(const struct subject *s, enum ns_kind kind, struct path *out)
{
    AUTO(namespaces_put) struct namespaces *ns = process_namespaces(s->process);

    return ns ? ns_path(ns, kind, out) : -ENOENT;
}

/* An entry knows whom it speaks of, not its own name: a pair of functions for each. */
#define KIND(id)                                                                                   \
    static int link_##id(const struct subject *s, char *buf, size_t size)                          \
    {                                                                                              \
        return ns_link(s, NS_##id, buf, size);                                                     \
    }                                                                                              \
    static int follow_##id(const struct subject *s, struct path *out)                              \
    {                                                                                              \
        return ns_follow(s, NS_##id, out);                                                         \
    }
KIND(CGROUP)
KIND(IPC)
KIND(MNT)
KIND(NET)
KIND(PID)
KIND(TIME)
KIND(USER)
KIND(UTS)

#define ENTRY(n, id)                                                                               \
    {                                                                                              \
        .name = (n), .mode = S_IFLNK | 0777, .link = link_##id, .follow = follow_##id,             \
        .guarded = true                                                                            \
    }
static const struct pseudo_entry ns_entries[] = {
    ENTRY("cgroup", CGROUP),
    ENTRY("ipc", IPC),
    ENTRY("mnt", MNT),
    ENTRY("net", NET),
    ENTRY("pid", PID),
    ENTRY("pid_for_children", PID),
    ENTRY("time", TIME),
    ENTRY("time_for_children", TIME),
    ENTRY("user", USER),
    ENTRY("uts", UTS),
    {0},
};
const struct pseudo_dir proc_ns_dir = {.entries = ns_entries};
