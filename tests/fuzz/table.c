/* tests/fuzz/table.c: the table of calls, for the fuzzer, whose libc headers define the same types. */
#include "syscall/decode.h"
#include "syscall_proto.h"

const u32 row_count = SYSCALL_LIMIT;
