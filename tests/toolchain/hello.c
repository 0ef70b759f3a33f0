// tests/toolchain/hello.c — a program of our musl: heap, stdio, floating point and the compiler's helper routines.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    char *copy = strdup(argc > 1 ? argv[1] : "world");
    if (!copy)
        return EXIT_FAILURE;
    __int128 wide = (__int128)argc << 100;
    printf("hello %s %.3f %d\n", copy, (double)argc / 3, (int)(wide / ((__int128)1 << 99)));
    free(copy);
    return EXIT_SUCCESS;
}
