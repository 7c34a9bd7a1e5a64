/* kernel/debug/symbols.h: names for the kernel's own addresses, for reports. */
#ifndef DEBUG_SYMBOLS_H
#define DEBUG_SYMBOLS_H

#include "base/types.h"

#define SYMBOL_TEXT 80

/* "name+0x10", or the bare address when no symbol covers it. Returns text. */
const char *symbol_text(u64 address, char text[SYMBOL_TEXT]);

#endif
