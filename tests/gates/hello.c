/* tests/gates/hello.c: the smallest program of a C library. */
#include <stdio.h>

int main(int argc, char **argv)
{
    printf("hello, %s\n", argc > 1 ? argv[1] : "world");
    return 7;
}
