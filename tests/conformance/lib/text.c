/* text.c: reading the files of /proc and /sys, and what stands in folders. */
#include "text.h"

#include <dirent.h>

enum { TEXT = 1 << 18 };

char *slurp(const char *path)
{
    static char text[TEXT];
    size_t total = 0;
    int fd = must(open(path, O_RDONLY | O_CLOEXEC));
    ssize_t n;

    while (total < TEXT - 1 && (n = must(read(fd, text + total, TEXT - 1 - total))) > 0)
        total += (size_t)n;
    text[total] = 0;
    must(close(fd));
    return text;
}

long number_in(const char *path)
{
    char *text = slurp(path), *end;
    long value = strtol(text, &end, 10);

    assert_true(end > text && *end == '\n');
    return value;
}

char *field_of(char *text, const char *name)
{
    size_t length = strlen(name);

    for (char *line = text; line && *line;
         line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, name, length) == 0 && line[length] == ':')
            return line + length + 1 + strspn(line + length + 1, " \t");
    return NULL;
}

const char *link_of(const char *path)
{
    static char target[4096];
    ssize_t n = must(readlink(path, target, sizeof target - 1));

    target[n] = 0;
    return target;
}

const char *link_of_fd(int fd)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return link_of(path);
}

bool lists(const char *folder, const char *name)
{
    DIR *dir = opendir(folder);
    bool found = false;

    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        found |= strcmp(entry->d_name, name) == 0;
    must(closedir(dir));
    return found;
}
