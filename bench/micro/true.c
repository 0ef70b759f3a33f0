// bench/micro/true.c — the smallest program: exec_true starts it linked statically, exec_dynamic linked with the C library.
int main(void)
{
    return 0;
}
