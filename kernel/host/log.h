/* host/log: the instance's log and its abrupt end. Part of the room host/wait: below sync/ and log/. */
#ifndef HOST_LOG_H
#define HOST_LOG_H

#include "base/types.h"

void host_log(const char *text, size_t len);
void host_panic(void) __attribute__((noreturn));

#endif
