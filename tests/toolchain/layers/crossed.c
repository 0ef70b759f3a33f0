// tests/toolchain/layers/crossed.c — reaches past its layer: its deps name middle alone, so this must not compile.
#include "tests/toolchain/layers/low.h"
#include "tests/toolchain/layers/middle.h"

uint32_t crossed_value(void);

uint32_t crossed_value(void)
{
    return low_value();
}
