/* kernel/fs/pseudo/table.h: how the rows of a table are written down. */
#ifndef PSEUDO_TABLE_H
#define PSEUDO_TABLE_H

#include "fs/pseudo/pseudo.h"

/* A file that anybody may read. */
#define VALUE(n, f)                                                                                \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | 0444, .show = (f)                                           \
    }
/* One that may also be written. */
#define SETTING(n, f, s)                                                                           \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | 0644, .show = (f), .store = (s)                             \
    }
/* Numbers that the superuser may set. */
#define NUMBERS(n, v)                                                                              \
    {                                                                                              \
        .name = (n), .mode = S_IFREG | 0644, .numbers = &(v)                                       \
    }
#define FOLDER(n, d)                                                                               \
    {                                                                                              \
        .name = (n), .mode = S_IFDIR | 0555, .dir = &(d)                                           \
    }
/* show_ID: one number, and one text, that is what it is. */
#define NUMBER(id, value)                                                                          \
    static int show_##id(const struct subject *s, struct text *out)                                \
    {                                                                                              \
        text_print(out, "%llu\n", (unsigned long long)(value));                                    \
        return 0;                                                                                  \
    }
#define TEXT(id, value)                                                                            \
    static int show_##id(const struct subject *s, struct text *out)                                \
    {                                                                                              \
        text_print(out, "%s\n", (value));                                                          \
        return 0;                                                                                  \
    }

#endif
