/* tools/myst/mount.c: the settings of --mount and of the JSON key Mount. */
#include "settings.h"
#include "tool.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

static const struct {
    const char *name;
    bool has_source; /* stands on a host file or directory */
} mount_types[] = {
    {"hostfs", true}, /* a host directory */
    {"cpio", true},   /* an archive, unpacked into memory */
    {"ext4", true},   {"erofs", true}, {"tmpfs", false},
};

/* The words of mount(8) that are flags of mount(2). */
static const struct {
    const char *name;
    unsigned long set, clear;
} mount_words[] = {
    {"ro", MS_RDONLY, 0},   {"rw", 0, MS_RDONLY},     {"nosuid", MS_NOSUID, 0},
    {"suid", 0, MS_NOSUID}, {"nodev", MS_NODEV, 0},   {"dev", 0, MS_NODEV},
    {"exec", 0, MS_NOEXEC}, {"noexec", MS_NOEXEC, 0}, {"noatime", MS_NOATIME, 0},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_mount_type(const char *name)
{
    for (size_t i = 0; i < COUNT(mount_types); i++) {
        if (strcmp(mount_types[i].name, name) == 0)
            return true;
    }
    return false;
}

bool mount_type_has_source(const char *type)
{
    for (size_t i = 0; i < COUNT(mount_types); i++) {
        if (strcmp(mount_types[i].name, type) == 0)
            return mount_types[i].has_source;
    }
    return false;
}

struct mount_setting *settings_mount_begin(struct settings *settings)
{
    size_t size = (settings->mount_count + 1) * sizeof *settings->mounts;
    settings->mounts = must_realloc(settings->mounts, size);

    struct mount_setting *mount = &settings->mounts[settings->mount_count++];
    *mount = (struct mount_setting){.data = must_strdup("")};
    return mount;
}

int settings_mount_source(struct settings *settings, struct mount_setting *mount, const char *path)
{
    if (*path == '\0')
        return settings_refuse(settings, "the source of the mount is empty");
    free(mount->source);
    mount->source = must_strdup(path);
    return 0;
}

int settings_mount_target(struct settings *settings, struct mount_setting *mount, const char *path)
{
    if (*path != '/')
        return settings_refuse(settings, "the target '%s' is not an absolute path", path);
    free(mount->target);
    mount->target = must_strdup(path);
    return 0;
}

int settings_mount_type(struct settings *settings, struct mount_setting *mount, const char *type)
{
    if (!is_mount_type(type))
        return settings_refuse(settings, "there is no mount type '%s'", type);
    free(mount->type);
    mount->type = must_strdup(type);
    return 0;
}

int settings_mount_option(struct settings *settings, struct mount_setting *mount,
                          const char *option)
{
    for (size_t i = 0; i < COUNT(mount_words); i++) {
        if (strcmp(mount_words[i].name, option) == 0) {
            mount->flags = (mount->flags & ~mount_words[i].clear) | mount_words[i].set;
            return 0;
        }
    }
    /* Words with a value belong to the file system; a bare word that nobody knows is a slip. */
    if (*option == '=' || !strchr(option, '='))
        return settings_refuse(settings, "there is no mount option '%s'", option);

    char *joined = must_printf("%s%s%s", mount->data, *mount->data ? "," : "", option);
    free(mount->data);
    mount->data = joined;
    return 0;
}

/* The words after the colon; the first may be a type. */
static int mount_words_parse(struct settings *settings, struct mount_setting *mount, char *words)
{
    bool first = true;
    char *word;

    while ((word = strsep(&words, ",")) != NULL) {
        int err = first && is_mount_type(word) ? settings_mount_type(settings, mount, word)
                                               : settings_mount_option(settings, mount, word);
        if (err)
            return err;
        first = false;
    }
    return 0;
}

int settings_mount(struct settings *settings, const char *text)
{
    char *source = must_strdup(text);
    char *target = strchr(source, '=');
    int err;

    if (!target || target == source || target[1] == '\0') {
        free(source);
        return settings_refuse(settings, "'%s' is not SRC=DST[:TYPE][,OPTION...]", text);
    }
    *target++ = '\0';
    char *words = strchr(target, ':');
    if (words)
        *words++ = '\0';

    struct mount_setting *mount = settings_mount_begin(settings);
    err = settings_mount_source(settings, mount, source);
    if (!err)
        err = settings_mount_target(settings, mount, target);
    if (!err && words)
        err = mount_words_parse(settings, mount, words);
    free(source);
    return err;
}
