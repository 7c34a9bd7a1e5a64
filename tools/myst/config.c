/* tools/myst/config.c: reads the JSON file of --config into settings. */
#include "config.h"
#include "tool.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG_MAX (1u << 20) /* bytes; far above any use, so that a wrong file is noticed */

struct config {
    const char *path;
    char *text;
    struct settings *settings;
    struct json_step at[JSON_PATH_MAX]; /* the value that is being read */
    size_t depth;
};

/* A key and what its value does; kind tells which of the functions is there. */
struct config_key {
    const char *name;
    enum { KEY_STRING, KEY_STRINGS, KEY_BOOL, KEY_OTHER } kind;
    int (*set)(struct settings *settings, const char *text); /* KEY_STRING, KEY_STRINGS */
    void (*set_bool)(struct settings *settings, bool value); /* KEY_BOOL */
    int (*read)(struct config *config, const json_t *value); /* KEY_OTHER */
};

/* The complaint about the value that config->at names. */
static int config_complain(struct config *config, const char *reason)
{
    unsigned line = json_line(config->text, config->at, config->depth);
    const char *key = "";

    for (size_t i = config->depth; i-- > 0 && !*key;)
        key = config->at[i].key ? config->at[i].key : "";
    complain("%s: line %u: key \"%s\": %s", config->path, line, key, reason);
    return STATUS_USAGE;
}

static void step_in(struct config *config, const char *key, size_t index)
{
    config->at[config->depth++] = (struct json_step){.key = key, .index = index};
}

static void step_out(struct config *config)
{
    config->depth--;
}

static int read_string(struct config *config, const json_t *value,
                       int (*set)(struct settings *, const char *))
{
    if (!json_is_string(value))
        return config_complain(config, "the value must be a string");
    if (set(config->settings, json_string_value(value)))
        return config_complain(config, config->settings->reason);
    return 0;
}

static int read_strings(struct config *config, const json_t *array,
                        int (*set)(struct settings *, const char *))
{
    size_t index;
    json_t *value;

    if (!json_is_array(array))
        return config_complain(config, "the value must be an array of strings");
    json_array_foreach(array, index, value)
    {
        step_in(config, NULL, index);
        int status = read_string(config, value, set);
        step_out(config);
        if (status)
            return status;
    }
    return 0;
}

static int add_argument(struct settings *settings, const char *text)
{
    list_append(&settings->args, text);
    return 0;
}

static void set_writable(struct settings *settings, bool value)
{
    settings->writable = value;
}

static void set_stats(struct settings *settings, bool value)
{
    settings->stats = value;
}

static void set_no_patch(struct settings *settings, bool value)
{
    settings->no_patch = value;
}

/* "64m" or a number of bytes. */
static int read_memory_size(struct config *config, const json_t *value)
{
    if (!json_is_integer(value))
        return json_is_string(value)
                   ? read_string(config, value, settings_memory_size)
                   : config_complain(config, "the value must be a string or a number of bytes");

    char *text = must_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    int err = settings_memory_size(config->settings, text);
    free(text);
    return err ? config_complain(config, config->settings->reason) : 0;
}

/* "UID[:GID]", or a number. */
static int read_user(struct config *config, const json_t *value)
{
    if (!json_is_integer(value))
        return json_is_string(value)
                   ? read_string(config, value, settings_user)
                   : config_complain(config, "the value must be a string or a number");

    char *text = must_printf("%" JSON_INTEGER_FORMAT, json_integer_value(value));
    int err = settings_user(config->settings, text);
    free(text);
    return err ? config_complain(config, config->settings->reason) : 0;
}

/* true, or the filter. */
static int read_strace(struct config *config, const json_t *value)
{
    if (json_is_string(value))
        return read_string(config, value, settings_strace);
    if (!json_is_boolean(value))
        return config_complain(config, "the value must be true, false or a string");
    if (json_is_true(value) && settings_strace(config->settings, ""))
        return config_complain(config, config->settings->reason);
    return 0;
}

static int read_mount_flags(struct config *config, struct mount_setting *mount, const json_t *array)
{
    size_t index;
    json_t *value;

    if (!json_is_array(array))
        return config_complain(config, "the value must be an array of strings");
    json_array_foreach(array, index, value)
    {
        if (!json_is_string(value))
            return config_complain(config, "the value must be an array of strings");
        if (settings_mount_option(config->settings, mount, json_string_value(value)))
            return config_complain(config, config->settings->reason);
    }
    return 0;
}

static int read_mount_key(struct config *config, struct mount_setting *mount, const char *key,
                          const json_t *value)
{
    static const struct {
        const char *name;
        int (*set)(struct settings *, struct mount_setting *, const char *);
    } keys[] = {
        {"Source", settings_mount_source},
        {"Target", settings_mount_target},
        {"Type", settings_mount_type},
    };

    if (strcmp(key, "Flags") == 0)
        return read_mount_flags(config, mount, value);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if (strcmp(keys[i].name, key) != 0)
            continue;
        if (!json_is_string(value))
            return config_complain(config, "the value must be a string");
        if (keys[i].set(config->settings, mount, json_string_value(value)))
            return config_complain(config, config->settings->reason);
        return 0;
    }
    return config_complain(config, "the key is not known");
}

static int read_mount(struct config *config, const json_t *object)
{
    struct mount_setting *mount = settings_mount_begin(config->settings);
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return config_complain(config, "a mount must be an object");
    json_object_foreach((json_t *)object, key, value)
    {
        step_in(config, key, 0);
        int status = read_mount_key(config, mount, key, value);
        step_out(config);
        if (status)
            return status;
    }
    if (!mount->target)
        return config_complain(config, "the mount has no Target");
    if (!mount->source && (!mount->type || mount_type_has_source(mount->type)))
        return config_complain(config, "the mount has no Source");
    return 0;
}

static int read_mounts(struct config *config, const json_t *array)
{
    size_t index;
    json_t *value;

    if (!json_is_array(array))
        return config_complain(config, "the value must be an array of mounts");
    json_array_foreach(array, index, value)
    {
        step_in(config, NULL, index);
        int status = read_mount(config, value);
        step_out(config);
        if (status)
            return status;
    }
    return 0;
}

static const struct config_key config_keys[] = {
    {"ApplicationPath", KEY_STRING, .set = settings_program},
    {"ApplicationParameters", KEY_STRINGS, .set = add_argument},
    {"HostEnvironmentVariables", KEY_STRINGS, .set = settings_host_env},
    {"EnvironmentVariables", KEY_STRINGS, .set = settings_env}, /* goes over the host's */
    {"CurrentWorkingDirectory", KEY_STRING, .set = settings_cwd},
    {"Hostname", KEY_STRING, .set = settings_hostname},
    {"MemorySize", KEY_OTHER, .read = read_memory_size},
    {"Mount", KEY_OTHER, .read = read_mounts},
    {"Net", KEY_STRING, .set = settings_net},
    {"Publish", KEY_STRINGS, .set = settings_publish},
    {"Dns", KEY_STRINGS, .set = settings_dns},
    {"User", KEY_OTHER, .read = read_user},
    {"Writable", KEY_BOOL, .set_bool = set_writable},
    {"Strace", KEY_OTHER, .read = read_strace},
    {"Stats", KEY_BOOL, .set_bool = set_stats},
    {"HostFaults", KEY_STRING, .set = settings_host_faults},
    {"NoPatch", KEY_BOOL, .set_bool = set_no_patch},
};

static int read_key(struct config *config, const struct config_key *key, const json_t *value)
{
    switch (key->kind) {
    case KEY_STRING:
        return read_string(config, value, key->set);
    case KEY_STRINGS:
        return read_strings(config, value, key->set);
    case KEY_BOOL:
        if (!json_is_boolean(value))
            return config_complain(config, "the value must be true or false");
        key->set_bool(config->settings, json_is_true(value));
        return 0;
    case KEY_OTHER:
        break;
    }
    return key->read(config, value);
}

static bool key_known(const char *name)
{
    for (size_t i = 0; i < sizeof config_keys / sizeof *config_keys; i++) {
        if (strcmp(config_keys[i].name, name) == 0)
            return true;
    }
    return false;
}

/* In the order of config_keys, since the order of keys means nothing in JSON. */
static int read_keys(struct config *config, const json_t *root)
{
    const char *name;
    json_t *value;
    int status = 0;

    json_object_foreach((json_t *)root, name, value)
    {
        if (!key_known(name)) {
            step_in(config, name, 0);
            return config_complain(config, "the key is not known");
        }
    }
    for (size_t i = 0; status == 0 && i < sizeof config_keys / sizeof *config_keys; i++) {
        value = json_object_get(root, config_keys[i].name);
        if (!value)
            continue;
        step_in(config, config_keys[i].name, 0);
        status = read_key(config, &config_keys[i], value);
        step_out(config);
    }
    return status;
}

/* Where the parser gave up, and under which key. */
static int complain_syntax(struct config *config, const json_error_t *error)
{
    const char *key = NULL;
    size_t offset = error->position > 0 ? (size_t)error->position : 0;
    size_t length = json_key_before(config->text, offset, &key);

    if (length > 0)
        complain("%s: line %d: key \"%.*s\": %s", config->path, error->line, (int)length, key,
                 error->text);
    else
        complain("%s: line %d: %s", config->path, error->line, error->text);
    return STATUS_USAGE;
}

static int read_object(struct config *config)
{
    json_error_t error;
    json_t *root = json_loads(config->text, JSON_REJECT_DUPLICATES, &error);
    int status;

    if (!root)
        return complain_syntax(config, &error);
    if (json_is_object(root)) {
        status = read_keys(config, root);
    } else {
        complain("%s: line 1: the file must hold one object", config->path);
        status = STATUS_USAGE;
    }
    json_decref(root);
    return status;
}

/* The whole file into text, of CONFIG_MAX + 1 bytes, NUL-ended; the reason when it cannot be. */
static const char *read_file(const char *path, char *text)
{
    size_t length = 0;
    ssize_t got;

    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return strerror(errno);
    while ((got = read(fd, text + length, CONFIG_MAX + 1 - length)) > 0)
        length += (size_t)got;
    int err = errno;
    close(fd);
    if (got < 0)
        return strerror(err);
    if (length > CONFIG_MAX)
        return "too large for a configuration";
    if (memchr(text, '\0', length))
        return "holds a NUL byte: not a configuration";
    text[length] = '\0';
    return NULL;
}

int config_load(const char *path, struct settings *settings)
{
    struct config config = {.path = path, .settings = settings, .text = must_alloc(CONFIG_MAX + 1)};
    const char *reason = read_file(path, config.text);
    int status = STATUS_USAGE;

    if (reason)
        complain("%s: %s", path, reason);
    else
        status = read_object(&config);
    free(config.text);
    return status;
}
