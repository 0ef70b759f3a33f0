// bench/profile/qemu_plugin.h — what our QEMU plugins (TCG plugins, API version 1) call, declared from QEMU's documentation.
//
// A plugin needs no C library: QEMU loads it, and what it calls is QEMU's.
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_info;

enum { CB_NO_REGS = 0, INLINE_ADD_U64 = 0 };

extern void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id id,
                                                  void (*callback)(plugin_id id, struct qemu_plugin_tb *block));
extern void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *block,
                                                 void (*callback)(unsigned cpu, void *data), int flags, void *data);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation, void *counter,
                                                     uint64_t value);
extern void qemu_plugin_register_atexit_cb(plugin_id id, void (*callback)(plugin_id id, void *data), void *data);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);
extern void qemu_plugin_outs(const char *text); // to the file of -D, at once

#define EXPORT __attribute__((visibility("default")))

EXPORT extern int qemu_plugin_version;
EXPORT int qemu_plugin_install(plugin_id id, const struct qemu_plugin_info *info, int argc, char **argv);

// Writes `value` in hexadecimal and one character after it; returns where the next one goes.
static inline char *put_hex(char *at, uint64_t value, char after)
{
    char digits[16];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value & 15];
        value >>= 4;
    } while (value);
    while (count)
        *at++ = digits[--count];
    *at++ = after;
    return at;
}

// The hexadecimal number at `*text`, which is left behind its last digit.
static inline uint64_t take_hex(const char **text)
{
    uint64_t value = 0;
    for (; (**text >= '0' && **text <= '9') || (**text >= 'a' && **text <= 'f'); (*text)++)
        value = value << 4 | (uint64_t)(**text <= '9' ? **text - '0' : **text - 'a' + 10);
    return value;
}

// What stands behind `name=` in an argument, or null if it is another one.
static inline const char *argument(const char *text, const char *name)
{
    for (; *name; name++, text++) {
        if (*text != *name)
            return NULL;
    }
    return *text == '=' ? text + 1 : NULL;
}
