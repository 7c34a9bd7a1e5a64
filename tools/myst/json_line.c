/* tools/myst/json_line.c: finds the line of a value in a JSON text. */
#include "config.h"

#include <string.h>

struct scan {
    const char *at;
    unsigned line;
    const struct json_step *path;
    size_t depth;
    unsigned found; /* the line of the value that path names */
};

static void scan_space(struct scan *scan)
{
    for (; *scan->at && strchr(" \t\r\n", *scan->at); scan->at++)
        scan->line += *scan->at == '\n';
}

/* The end of a string whose opening quote is at text: behind the closing one, or the end. */
static const char *string_end(const char *text)
{
    for (text++; *text && *text != '"'; text++) {
        if (*text == '\\' && text[1])
            text++;
    }
    return *text ? text + 1 : text;
}

static void scan_value(struct scan *scan, size_t level, bool on_path);

/* An object or array: level steps of the path lead here when on_path is set. */
static void scan_members(struct scan *scan, size_t level, bool on_path, bool keyed)
{
    const char close = keyed ? '}' : ']';
    size_t index = 0;

    scan->at++;
    scan_space(scan);
    while (*scan->at && *scan->at != close) {
        const struct json_step *step = on_path && level < scan->depth ? &scan->path[level] : NULL;
        bool match = step && !keyed && !step->key && step->index == index;
        unsigned line = scan->line;

        if (keyed) {
            const char *key = scan->at + 1;
            scan->at = string_end(scan->at);
            size_t length = (size_t)(scan->at - key) - 1;
            match = step && step->key && strlen(step->key) == length &&
                    memcmp(step->key, key, length) == 0;
            scan_space(scan);
            scan->at++; /* the colon */
            scan_space(scan);
        }
        if (match && level + 1 == scan->depth)
            scan->found = line;
        scan_value(scan, level + 1, match);
        scan_space(scan);
        if (*scan->at == ',')
            scan->at++;
        scan_space(scan);
        index++;
    }
    if (*scan->at)
        scan->at++;
}

static void scan_value(struct scan *scan, size_t level, bool on_path)
{
    scan_space(scan);
    if (*scan->at == '{' || *scan->at == '[')
        scan_members(scan, level, on_path, *scan->at == '{');
    else if (*scan->at == '"')
        scan->at = string_end(scan->at);
    else
        scan->at += strcspn(scan->at, ",]} \t\r\n");
}

unsigned json_line(const char *text, const struct json_step *path, size_t depth)
{
    struct scan scan = {.at = text, .line = 1, .path = path, .depth = depth};

    scan_value(&scan, 0, true);
    return scan.found;
}

size_t json_key_before(const char *text, size_t offset, const char **key)
{
    const char *at = text;
    size_t length = 0;

    while (*at && (size_t)(at - text) < offset) {
        if (*at != '"') {
            at++;
            continue;
        }
        const char *start = at + 1;
        at = string_end(at);
        const char *colon = at + strspn(at, " \t\r\n");
        if (*colon == ':' && (size_t)(colon - text) < offset) {
            *key = start;
            length = (size_t)(at - start) - 1;
        }
    }
    return length;
}
