// kernel/boot/kernel_main.h — where the portable kernel begins.
#pragma once

// Called once by arch/, on the boot CPU, with interrupts off, boot_info filled and all RAM in the direct map.
[[noreturn]] void kernel_main(void);
