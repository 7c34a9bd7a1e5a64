/* target/linux/launch/network.h: the host's network for struct boot_info. */
#pragma once

#include "arena.h"
#include "image.h"

/* 0, or -1 after one line on standard error. */
int network_fill(struct arena *arena, struct boot_net *net, const struct launch_options *options);
