// bench/micro/true.c — the smallest program, for exec_true and exec_dynamic.
int main(void)
{
    return 0;
}
