// arch/x86_64/include/cpu/elf.h — ELF constants of this CPU.
#pragma once

#define ARCH_ELF_MACHINE 62 // EM_X86_64
#define ARCH_MACHINE "x86_64" // uname -m, AT_PLATFORM
