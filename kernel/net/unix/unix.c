/* kernel/net/unix/unix.c: AF_UNIX, unix(7). */
#include "net/internal.h"

void unix_start(void)
{
}
