/* tools/myst/settings.c: checks one setting at a time, whether an option or a JSON key said it. */
#include "settings.h"
#include "tool.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTNAME_BYTES 64  /* __NEW_UTS_LEN of uname(2) */
#define FAULT_INTERVAL 100 /* calls of the host, one of which fails with --host-faults */

void list_append(struct list *list, const char *text)
{
    list->items = must_realloc(list->items, (list->count + 2) * sizeof *list->items);
    list->items[list->count++] = must_strdup(text);
    list->items[list->count] = NULL;
}

void list_clear(struct list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct list){0};
}

int settings_refuse(struct settings *settings, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(settings->reason, sizeof settings->reason, format, args);
    va_end(args);
    return -1;
}

static void set_text(char **field, const char *text)
{
    free(*field);
    *field = must_strdup(text);
}

int settings_env(struct settings *settings, const char *text)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return settings_refuse(settings, "'%s' is not KEY=VALUE", text);

    size_t key = (size_t)(equals - text) + 1;
    for (size_t i = 0; i < settings->envp.count; i++) {
        if (strncmp(settings->envp.items[i], text, key) == 0) {
            set_text(&settings->envp.items[i], text);
            return 0;
        }
    }
    list_append(&settings->envp, text);
    return 0;
}

int settings_host_env(struct settings *settings, const char *name)
{
    if (*name == '\0' || strchr(name, '='))
        return settings_refuse(settings, "'%s' is not the name of a variable", name);

    const char *value = getenv(name);
    if (!value)
        return 0;
    char *text = must_printf("%s=%s", name, value);
    int err = settings_env(settings, text);
    free(text);
    return err;
}

int settings_program(struct settings *settings, const char *path)
{
    if (*path == '\0')
        return settings_refuse(settings, "the program's name is empty");
    set_text(&settings->program, path);
    return 0;
}

int settings_cwd(struct settings *settings, const char *path)
{
    if (*path != '/')
        return settings_refuse(settings, "'%s' is not an absolute path", path);
    set_text(&settings->cwd, path);
    return 0;
}

int settings_hostname(struct settings *settings, const char *name)
{
    if (*name == '\0')
        return settings_refuse(settings, "the host name is empty");
    if (strlen(name) > HOSTNAME_BYTES)
        return settings_refuse(settings, "the host name is longer than %d bytes", HOSTNAME_BYTES);
    set_text(&settings->hostname, name);
    return 0;
}

int settings_user(struct settings *settings, const char *text)
{
    const char *colon = strchr(text, ':');
    if (*text == '\0' || colon == text || (colon && (colon[1] == '\0' || strchr(colon + 1, ':'))))
        return settings_refuse(settings, "'%s' is not USER[:GROUP]", text);
    set_text(&settings->user, text);
    return 0;
}

int settings_memory_size(struct settings *settings, const char *text)
{
    static const char suffixes[] = "kmg";
    uint64_t value = 0;
    const char *end = text;

    for (; isdigit((unsigned char)*end); end++) {
        if (__builtin_mul_overflow(value, UINT64_C(10), &value) ||
            __builtin_add_overflow(value, (uint64_t)(*end - '0'), &value))
            return settings_refuse(settings, "'%s' is too large", text);
    }
    const char *suffix = *end ? strchr(suffixes, tolower((unsigned char)*end)) : NULL;
    if (end == text || (*end && (!suffix || end[1] != '\0')))
        return settings_refuse(settings, "'%s' is not a size (bytes, or a number with k, m, g)",
                               text);
    if (suffix) {
        uint64_t unit = UINT64_C(1) << (10 * (suffix - suffixes + 1));
        if (__builtin_mul_overflow(value, unit, &value))
            return settings_refuse(settings, "'%s' is too large", text);
    }
    if (value == 0)
        return settings_refuse(settings, "a size of 0 leaves no memory");
    settings->memory_size = value;
    return 0;
}

const char *number_read(const char *text, uint64_t max, uint64_t *value)
{
    const char *end = text;

    *value = 0;
    for (; isdigit((unsigned char)*end); end++) {
        if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(*end - '0'), value) || *value > max)
            return NULL;
    }
    return end == text ? NULL : end;
}

int settings_host_faults(struct settings *settings, const char *text)
{
    uint64_t seed, interval = FAULT_INTERVAL;
    const char *end = number_read(text, UINT64_MAX, &seed);

    if (end && *end == ':')
        end = number_read(end + 1, UINT32_MAX, &interval);
    if (!end || *end != '\0' || interval == 0)
        return settings_refuse(settings, "'%s' is not SEED[:INTERVAL], two numbers", text);
    settings->fault_seed = seed;
    settings->fault_interval = (uint32_t)interval;
    return 0;
}

int settings_strace(struct settings *settings, const char *filter)
{
    const char *name = filter;

    while (*filter != '\0') {
        size_t length = strcspn(name, ",");
        const char *bare = name + (*name == '!');
        size_t bare_length = length - (size_t)(bare - name);
        if (bare_length == 0)
            return settings_refuse(settings, "'%s' has an empty name", filter);
        if (!syscall_name_known(bare, bare_length))
            return settings_refuse(settings, "there is no system call '%.*s'", (int)bare_length,
                                   bare);
        if (name[length] == '\0')
            break;
        name += length + 1;
    }
    set_text(&settings->strace, filter);
    return 0;
}
