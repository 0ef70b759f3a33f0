// arch/include/io.h — devices: I/O ports where the CPU has them, and memory-mapped registers.
#pragma once

#include "cpu/io.h" // inb() … outl(); mmio_read8() … mmio_write64() on pointers from ioremap()
