// kernel/boot/init.h — what runs at boot, and when: init levels, in order; and command-line parameters.
#pragma once

#include "kernel/base/compiler.h"

// Each level is a linker section; kernel_main runs them one after another. Within a level the order is unspecified:
// depend on earlier levels only.
//   core    allocators and threads work; register caches, lock classes' owners, namespaces
//   subsys  buses, classes, registries (char devices, file systems are linker tables already)
//   fs      file systems' one-time set-up; the root file system exists after this level and the initramfs is unpacked
//           into it
//   device  drivers
//   late    everything is there; last before init is started
#define INITCALL(level, fn)                                                                                            \
    static int (*const CONCAT(initcall_, fn))(void) USED SECTION(".kernel.init." #level) = (fn)

// CMDLINE_PARAM("loglevel", parse_loglevel): fn(value) is called for each `name=value` or bare `name` (value is ""),
// before level core, in command-line order. 0, or -errno: reported in one line.
struct cmdline_param {
    const char *name;
    int (*fn)(const char *value);
};
#define CMDLINE_PARAM(text, function)                                                                                  \
    static const struct cmdline_param CONCAT(cmdline_param_, function) USED SECTION(".kernel.cmdline") = {             \
        .name = (text), .fn = (function)}
