/* tools/myst/user.c: turns --user into ids, by the root file system's passwd(5) and group(5). */
#include "user.h"
#include "rootfs.h"
#include "tool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX 7 /* of passwd(5) */

/* A decimal id below (uid_t)-1, which means "no change" to the calls that take ids. */
static bool parse_id(const char *text, uint32_t *id)
{
    uint64_t value = 0;

    if (*text == '\0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value >= UINT32_MAX)
            return false;
    }
    *id = (uint32_t)value;
    return true;
}

static bool is_number(const char *text)
{
    return *text && text[strspn(text, "0123456789")] == '\0';
}

/* Splits the next line of *text at its colons, in place; false at the end. Missing fields are "". */
static bool line_split(char **text, char *fields[FIELDS_MAX])
{
    char *line = strsep(text, "\n");
    if (!line)
        return false;
    for (int i = 0; i < FIELDS_MAX; i++) {
        char *field = strsep(&line, ":");
        fields[i] = field ? field : (char *)"";
    }
    return true;
}

struct user {
    char *name; /* "" when the number has no entry */
    uint32_t uid, gid;
    bool listed; /* stands in etc/passwd */
};

/* Looks wanted up as a name, and as a number when it is one. */
static bool passwd_find(char *text, const char *wanted, struct user *user)
{
    char *fields[FIELDS_MAX];
    uint32_t number = 0, uid, gid;
    bool by_number = parse_id(wanted, &number);

    while (line_split(&text, fields)) {
        if (!*fields[0] || !parse_id(fields[2], &uid) || !parse_id(fields[3], &gid))
            continue;
        if (by_number ? uid != number : strcmp(fields[0], wanted) != 0)
            continue;
        *user = (struct user){.name = fields[0], .uid = uid, .gid = gid, .listed = true};
        return true;
    }
    if (by_number)
        *user = (struct user){.name = (char *)"", .uid = number, .gid = number};
    return by_number;
}

static bool group_find(char *text, const char *wanted, uint32_t *gid)
{
    char *fields[FIELDS_MAX];

    while (line_split(&text, fields)) {
        if (strcmp(fields[0], wanted) == 0 && parse_id(fields[2], gid))
            return true;
    }
    return false;
}

static bool is_member(char *members, const char *name)
{
    char *member;

    while ((member = strsep(&members, ",")) != NULL) {
        if (strcmp(member, name) == 0)
            return true;
    }
    return false;
}

/* The groups that a login would give: those of group(5) that list the name, and the user's own. */
static void groups_of(char *text, const struct user *user, struct launch_options *options)
{
    gid_t *groups = must_alloc(sizeof *groups);
    size_t count = 0;
    char *fields[FIELDS_MAX];
    uint32_t gid;

    groups[count++] = user->gid;
    while (line_split(&text, fields)) {
        if (!parse_id(fields[2], &gid) || gid == user->gid || !is_member(fields[3], user->name))
            continue;
        groups = must_realloc(groups, (count + 1) * sizeof *groups);
        groups[count++] = gid;
    }
    options->groups = groups;
    options->group_count = count;
}

static int caller_ids(struct launch_options *options)
{
    options->uid = getuid();
    options->gid = getgid();

    int count = getgroups(0, NULL);
    gid_t *groups = must_alloc((size_t)(count > 0 ? count : 0) * sizeof *groups);
    if (count > 0)
        count = getgroups(count, groups);
    if (count < 0) {
        complain("the caller's groups: %s", strerror(errno));
        return STATUS_NOT_STARTED;
    }
    options->groups = groups;
    options->group_count = (size_t)count;
    return 0;
}

/* A file of the root file system, or "" when it has none. */
static char *read_or_empty(const struct launch_options *options, const char *path)
{
    char *text = rootfs_read(options->rootfs_fd, options->rootfs_kind, path);
    return text ? text : must_strdup("");
}

static int ids_from(const char *name, const char *group, char *passwd, char *groups,
                    struct launch_options *options)
{
    struct user user;
    uint32_t gid;

    if (!passwd_find(passwd, name, &user)) {
        complain(is_number(name) ? "--user: '%s' is no valid id"
                                 : "--user: ROOTFS has no user '%s' in etc/passwd",
                 name);
        return STATUS_USAGE;
    }
    options->uid = user.uid;
    options->gid = user.gid;
    if (!group) {
        if (user.listed)
            groups_of(groups, &user, options);
        return 0;
    }
    if (is_number(group) ? !parse_id(group, &gid) : !group_find(groups, group, &gid)) {
        complain(is_number(group) ? "--user: '%s' is no valid id"
                                  : "--user: ROOTFS has no group '%s' in etc/group",
                 group);
        return STATUS_USAGE;
    }
    options->gid = gid;
    return 0;
}

int user_resolve(const char *text, struct launch_options *options)
{
    if (!text)
        return caller_ids(options);

    char *name = must_strdup(text);
    char *group = strchr(name, ':');
    if (group)
        *group++ = '\0';
    char *passwd = read_or_empty(options, "etc/passwd");
    char *groups = read_or_empty(options, "etc/group");

    int status = ids_from(name, group, passwd, groups, options);
    free(groups);
    free(passwd);
    free(name);
    return status;
}
