/* terminal.h: a pseudo-terminal for each case. */
#ifndef CONFORMANCE_TERMINAL_H
#define CONFORMANCE_TERMINAL_H

#include "child.h"

/* The two ends of the case's terminal, which is nobody's controlling one. */
extern int master, slave;

bool terminal_open(void);
/* cmocka fixtures that open and close them. */
int terminal_setup(void **state);
int terminal_teardown(void **state);
#define terminal_test(f) cmocka_unit_test_setup_teardown(f, terminal_setup, terminal_teardown)

/* What a user at the terminal types. */
void type(const char *text);

#endif
