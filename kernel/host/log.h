/* host/log: the instance's log and its abrupt end. Part of the room host/wait: below sync/ and log/. */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include "base/types.h"

void host_log(const char *text, size_t len);
void host_panic(void) __attribute__((noreturn));
/* The kernel's own ELF file in memory, for the symbols of reports; NULL: there is none. */
const void *host_symbols(size_t *size);

#endif
