/* kernel/task/exec_script.c: "#!", execve(2), "Interpreter scripts". */
#include "task/exec.h"

#include "base/errno.h"
#include "base/string.h"
#include "mm/alloc.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The line without "#!" and the blanks around it. -ENOEXEC when it names nothing that is complete. */
static int script_line(const struct exec *exec, char *line)
{
    const char *from = (const char *)exec->head + 2;
    const char *end = memchr(from, '\n', EXEC_HEAD - 2);
    const char *zero = memchr(from, 0, EXEC_HEAD - 2);
    bool cut = !end && !zero;

    if (!end || (zero && zero < end))
        end = cut ? (const char *)exec->head + EXEC_HEAD - 1 : zero;
    while (from < end && is_blank(*from))
        from++;
    while (end > from && is_blank(end[-1]))
        end--;
    memcpy(line, from, (size_t)(end - from));
    line[end - from] = '\0';
    if (!*line)
        return -ENOEXEC;
    if (!cut)
        return 0;
    /* An argument may be cut off, the interpreter's name not: it would be another file. */
    for (const char *at = line; *at; at++) {
        if (is_blank(*at))
            return 0;
    }
    return -ENOEXEC;
}

int script_parse(struct exec *exec, const char *script, char **next)
{
    char line[EXEC_HEAD];
    struct strings argv = {0};
    char *argument = line;
    size_t first;
    int err = script_line(exec, line);

    if (err)
        return err;
    while (*argument && !is_blank(*argument))
        argument++;
    if (*argument) {
        *argument++ = '\0';
        while (is_blank(*argument))
            argument++;
    }

    err = strings_add(&argv, line, strlen(line));
    if (!err && *argument)
        err = strings_add(&argv, argument, strlen(argument));
    if (!err)
        err = strings_add(&argv, script, strlen(script));
    /* The script's name stands for what was argv[0]. */
    first = exec->argv.n ? strlen(exec->argv.text) + 1 : 0;
    for (size_t at = first; !err && at < exec->argv.len;) {
        size_t len = strlen(exec->argv.text + at);

        err = strings_add(&argv, exec->argv.text + at, len);
        at += len + 1;
    }
    *next = err ? NULL : kstrdup(line);
    if (!*next) {
        strings_free(&argv);
        return err ? err : -ENOMEM;
    }
    strings_free(&exec->argv);
    exec->argv = argv;
    return 0;
}
