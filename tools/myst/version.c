/* tools/myst/version.c: `myst version`. */
#include "tool.h"

#include <stdio.h>

const char version_text[] = "0.1.0";

int cmd_version(const struct invocation *invocation)
{
    int operands;
    int status = take_operands(invocation, 0, 0, &operands);
    if (status >= 0)
        return status;
    printf("myst %s\n", version_text);
    return finish_output();
}
