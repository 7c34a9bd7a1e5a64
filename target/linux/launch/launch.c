/* target/linux/launch/launch.c: starts an instance in the hosted target. */
#include "launch.h"

#include <stdio.h>

int launch(const struct launch_options *options)
{
    (void)options;
    fputs("myst: this build has no hosted target yet\n", stderr);
    return 125;
}
