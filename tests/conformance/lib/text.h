/* text.h: reading the files of /proc and /sys, and what stands in folders. */
#ifndef CONFORMANCE_TEXT_H
#define CONFORMANCE_TEXT_H

#include "check.h"

/* The whole content of a file, ended by a zero; valid until the next call. */
char *slurp(const char *path);

/* The number that is all of a file's one line. */
long number_in(const char *path);

/* What follows "NAME:" and blanks in a text of such lines; NULL when there is none. */
char *field_of(char *text, const char *name);

/* Where a symbolic link leads to; valid until the next call. */
const char *link_of(const char *path);
const char *link_of_fd(int fd);

/* Whether a folder has this name. */
bool lists(const char *folder, const char *name);

#endif
