/*
 * tests/fuzz/cases/cmocka.h: what tests/sequences takes for cmocka where the host lies: cases are collected
 * for the fuzzer, instances are the fuzzer's, and what a case expects does not matter.
 */
#ifndef FUZZ_CASES_CMOCKA_H
#define FUZZ_CASES_CMOCKA_H

#include <stddef.h>

#include "lies.h"

/* Has another name in each file, and tells the fuzzer of its cases before that begins. */
int main(void) __attribute__((constructor));

struct CMUnitTest {
    const char *name;
    lies_case *run;
};

#define cmocka_unit_test(f)                                                                        \
    {                                                                                              \
#f, f                                                                                      \
    }

#define cmocka_run_group_tests(tests, setup, teardown)                                             \
    ({                                                                                             \
        for (size_t i_ = 0; i_ < sizeof(tests) / sizeof(tests[0]); i_++)                           \
            lies_case_add(tests[i_].name, tests[i_].run);                                          \
        0;                                                                                         \
    })

#define fail_msg(...)             ((void)0)
#define assert_int_equal(a, b)    ((void)(a), (void)(b))
#define assert_true(a)            ((void)(a))
#define assert_string_equal(a, b) ((void)(a), (void)(b))

#define mock_run        lies_instance
#define mock_reply_hook lies_no_hook

#endif
