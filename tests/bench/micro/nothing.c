/* tests/bench/micro/nothing.c: the shortest program, linked statically: what it costs to start one. */
int main(void)
{
    return 0;
}
