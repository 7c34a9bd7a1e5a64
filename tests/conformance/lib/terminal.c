/* terminal.c: a pseudo-terminal for each case. */
#include "terminal.h"

int master = -1, slave = -1;

bool terminal_open(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0)
        return false;
    slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
    return slave >= 0;
}

int terminal_setup(void **state)
{
    (void)state;
    return terminal_open() ? 0 : -1;
}

int terminal_teardown(void **state)
{
    (void)state;
    close(master);
    close(slave);
    return 0;
}

void type(const char *text)
{
    need_eq(write(master, text, strlen(text)), strlen(text));
}
