/* tests/table/table.c: the table of calls, for programs whose libc headers define the same types. */
#include "syscall/decode.h"
#include "syscall_types.h"

const u32 row_count = SYSCALL_LIMIT;
