/* tools/myst/config.h: the JSON file of --config. */
#pragma once

#include "settings.h"

/* Reads the file into settings. Returns 0, or the exit status after a complaint that names the line
 * and the key. */
int config_load(const char *path, struct settings *settings);

/* json_line.c: where things stand in a JSON text, which the JSON library does not tell. */

#define JSON_PATH_MAX 3 /* Mount, its index, a key of it */

struct json_step {
    const char *key; /* NULL: index counts */
    size_t index;
};

/* The line, from 1, on which the value at path begins, or its key when it has one; the text is known
 * to be valid. 0 when there is no such value. */
unsigned json_line(const char *text, const struct json_step *path, size_t depth);

/* The last key whose colon stands before offset, as written between its quotes; its length, or 0
 * when there is none. The text may be anything. */
size_t json_key_before(const char *text, size_t offset, const char **key);
