/* tools/myst/options.c: reads the command line of `myst exec`. */
#include "options.h"
#include "config.h"

#include <stdlib.h>
#include <string.h>

enum argument { ARGUMENT_NONE, ARGUMENT_REQUIRED, ARGUMENT_OPTIONAL };

struct option {
    const char *name; /* with its dashes */
    enum argument argument;
    int (*set)(struct settings *settings, const char *value); /* NULL: --config and --help */
};

/* One use of an option; value is NULL when it has none. */
struct use {
    const struct option *option;
    const char *value;
};

static int set_writable(struct settings *settings, const char *value)
{
    (void)value;
    settings->writable = true;
    return 0;
}

static int set_stats(struct settings *settings, const char *value)
{
    (void)value;
    settings->stats = true;
    return 0;
}

static int set_no_patch(struct settings *settings, const char *value)
{
    (void)value;
    settings->no_patch = true;
    return 0;
}

static int set_verbose(struct settings *settings, const char *value)
{
    (void)value;
    settings->verbosity++;
    return 0;
}

static int set_strace(struct settings *settings, const char *value)
{
    return settings_strace(settings, value ? value : "");
}

static const struct option options[] = {
    {"--writable", ARGUMENT_NONE, set_writable},
    {"--mount", ARGUMENT_REQUIRED, settings_mount},
    {"--env", ARGUMENT_REQUIRED, settings_env},
    {"--host-env", ARGUMENT_REQUIRED, settings_host_env},
    {"--cwd", ARGUMENT_REQUIRED, settings_cwd},
    {"--hostname", ARGUMENT_REQUIRED, settings_hostname},
    {"--user", ARGUMENT_REQUIRED, settings_user},
    {"--net", ARGUMENT_REQUIRED, settings_net},
    {"--publish", ARGUMENT_REQUIRED, settings_publish},
    {"--dns", ARGUMENT_REQUIRED, settings_dns},
    {"--memory-size", ARGUMENT_REQUIRED, settings_memory_size},
    {"--config", ARGUMENT_REQUIRED, NULL},
    {"--strace", ARGUMENT_OPTIONAL, set_strace},
    {"--stats", ARGUMENT_NONE, set_stats},
    {"--no-patch", ARGUMENT_NONE, set_no_patch},
    {"--host-faults", ARGUMENT_REQUIRED, settings_host_faults},
    {"-v", ARGUMENT_NONE, set_verbose},
    {"--help", ARGUMENT_NONE, NULL},
};

static bool is_option(const struct option *option, const char *name)
{
    return strcmp(option->name, name) == 0;
}

/* The option that word names, up to an equals sign. */
static const struct option *option_find(const char *word)
{
    size_t length = strcspn(word, "=");

    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strncmp(options[i].name, word, length) == 0 && options[i].name[length] == '\0')
            return &options[i];
    }
    return NULL;
}

/* Reads the option at argv[*at] and its value, and moves *at behind them. */
static int use_read(const struct invocation *invocation, int *at, struct use *use)
{
    const char *name = invocation->argv[0];
    const char *word = invocation->argv[(*at)++];
    const char *equals = strchr(word, '=');

    use->option = option_find(word);
    use->value = equals ? equals + 1 : NULL;
    if (!use->option) {
        complain("%s: unknown option %s (see 'myst help %s')", name, word, name);
        return STATUS_USAGE;
    }
    if (equals && use->option->argument == ARGUMENT_NONE) {
        complain("%s: %s takes no value", name, use->option->name);
        return STATUS_USAGE;
    }
    if (!equals && use->option->argument == ARGUMENT_REQUIRED) {
        if (*at == invocation->argc) {
            complain("%s: %s needs a value", name, use->option->name);
            return STATUS_USAGE;
        }
        use->value = invocation->argv[(*at)++];
    }
    return 0;
}

/* Reads all options into uses; *at is left at the first operand. */
static int uses_read(const struct invocation *invocation, int *at, struct use *uses, size_t *count)
{
    while (*at < invocation->argc && invocation->argv[*at][0] == '-') {
        if (strcmp(invocation->argv[*at], "--") == 0) {
            ++*at;
            break;
        }
        int status = use_read(invocation, at, &uses[*count]);
        if (status)
            return status;
        ++*count;
    }
    return 0;
}

/* What the options say goes over what the file says, wherever --config stands among them. */
static int uses_apply(const char *name, const struct use *uses, size_t count,
                      struct settings *settings)
{
    bool configured = false;

    for (size_t i = 0; i < count; i++) {
        if (!is_option(uses[i].option, "--config"))
            continue;
        if (configured) {
            complain("%s: --config is given twice", name);
            return STATUS_USAGE;
        }
        configured = true;
        int status = config_load(uses[i].value, settings);
        if (status)
            return status;
    }
    for (size_t i = 0; i < count; i++) {
        if (!uses[i].option->set || uses[i].option->set(settings, uses[i].value) == 0)
            continue;
        complain("%s: %s: %s", name, uses[i].option->name, settings->reason);
        return STATUS_USAGE;
    }
    return 0;
}

static int operands_take(const struct invocation *invocation, int at, struct settings *settings,
                         struct command_line *line)
{
    const char *name = invocation->argv[0];

    if (at == invocation->argc) {
        complain("%s: ROOTFS is missing (see 'myst help %s')", name, name);
        return STATUS_USAGE;
    }
    line->rootfs = invocation->argv[at++];
    if (at < invocation->argc) {
        if (settings_program(settings, invocation->argv[at++])) {
            complain("%s: %s", name, settings->reason);
            return STATUS_USAGE;
        }
        /* A program of the command line comes with its own arguments, be it none. */
        list_clear(&settings->args);
        for (; at < invocation->argc; at++)
            list_append(&settings->args, invocation->argv[at]);
    }
    if (!settings->program) {
        complain("%s: PROGRAM is missing (see 'myst help %s')", name, name);
        return STATUS_USAGE;
    }
    return 0;
}

int options_parse(const struct invocation *invocation, struct settings *settings,
                  struct command_line *line)
{
    struct use *uses = must_alloc((size_t)invocation->argc * sizeof *uses);
    size_t count = 0;
    int at = 1;

    int status = uses_read(invocation, &at, uses, &count);
    for (size_t i = 0; status == 0 && i < count; i++)
        line->help |= is_option(uses[i].option, "--help");
    if (status == 0 && !line->help)
        status = uses_apply(invocation->argv[0], uses, count, settings);
    if (status == 0 && !line->help)
        status = operands_take(invocation, at, settings, line);
    free(uses);
    return status;
}
