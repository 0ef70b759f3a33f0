// kernel/boot/version.h — what this kernel calls itself: uname(2), /proc/version, the banner.
//
// The release begins with a Linux version, because programs compare it to learn which system calls they may expect.
#pragma once

#define KEVLAR_VERSION "0.1.0"
#define KERNEL_SYSNAME "Linux"
#define KERNEL_RELEASE "6.12.0-kevlar-" KEVLAR_VERSION
#define KERNEL_VERSION "#1 SMP PREEMPT"
