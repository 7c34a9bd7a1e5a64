/* kernel/abi/names.h: error numbers and signals by name, as strace and psignal print them. */
#ifndef ABI_NAMES_H
#define ABI_NAMES_H

#include "base/types.h"

/* "ENOENT" for ENOENT; NULL for what is not an error number. The kernel's own numbers too. */
const char *errno_name(int err);

/* "No such file or directory". */
const char *errno_message(int err);

/* "SIGINT"; NULL for real-time signals and for what is no signal. */
const char *signal_name(int sig);

/* The same, but every number has a name: "SIGRTMIN", "SIGRT_3", "65". Returns buf or a constant. */
#define SIGNAL_TEXT_MAX 16
const char *signal_text(int sig, char buf[SIGNAL_TEXT_MAX]);

#endif
