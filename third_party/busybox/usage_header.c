// third_party/busybox/usage_header.c — turns the help texts (standard input) into the header that holds them as one string.
#include <stdio.h>

int main(void)
{
    const int bytes_per_line = 32;
    int length = 0;
    printf("#define UNPACKED_USAGE \"\"");
    for (int byte; (byte = getchar()) != EOF; length++) {
        if (length % bytes_per_line == 0)
            printf("%s \\\n\"", length ? "\"" : "");
        printf("\\%03o", (unsigned)byte);
    }
    printf("%s\n\n#define UNPACKED_USAGE_LENGTH %d\n", length ? "\"" : "", length);
    return ferror(stdin) || ferror(stdout);
}
