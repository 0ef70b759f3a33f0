// bench/boot/stamps.c — a QEMU plugin that says when a boot came to certain places.
//
//   -plugin stamps.so,at=LOW-HIGH,at=LOW-HIGH...[,count=1] -d plugin -D FILE
//
// Up to MAX_PLACES ranges of addresses, in hexadecimal, in the order in which a boot comes to them: a place is reached
// when a block in its range is executed after the place before it was reached. Each gives one line at once:
// `<place> <nanoseconds of the host's monotonic clock> <instructions>`, in hexadecimal. The instructions are those
// executed since reset, which a guest's clock does not tell once it has slept; they are 0 without count=1, as counting
// slows the guest.
#include "bench/profile/qemu_plugin.h"

enum { MAX_PLACES = 4 };

EXPORT int qemu_plugin_version = 1;

static struct {
    uint64_t low, high;
} places[MAX_PLACES];
static unsigned nr_places, reached;
static uint64_t executed;
static int count;

// clock_gettime(2) of CLOCK_MONOTONIC by the system call: there is no C library here.
static uint64_t host_ns(void)
{
    enum { NR_CLOCK_GETTIME = 228, MONOTONIC = 1 };
    struct {
        int64_t seconds, ns;
    } now = {0, 0};
    long result = NR_CLOCK_GETTIME;
    __asm__ volatile("syscall" : "+a"(result) : "D"(MONOTONIC), "S"(&now) : "rcx", "r11", "memory");
    return (uint64_t)now.seconds * 1000000000 + (uint64_t)now.ns;
}

static void executing(unsigned cpu, void *data)
{
    (void)cpu;
    if ((uintptr_t)data != reached)
        return;
    char line[64];
    char *at = put_hex(line, reached, ' ');
    at = put_hex(at, host_ns(), ' ');
    at = put_hex(at, executed, '\n');
    *at = '\0';
    reached++;
    qemu_plugin_outs(line);
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    for (uintptr_t place = reached; place < nr_places; place++) {
        if (address >= places[place].low && address <= places[place].high)
            qemu_plugin_register_vcpu_tb_exec_cb(tb, executing, CB_NO_REGS, (void *)place);
    }
    if (count)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &executed, qemu_plugin_tb_n_insns(tb));
}

int qemu_plugin_install(plugin_id id, const struct qemu_plugin_info *info, int argc, char **argv)
{
    (void)info;
    for (int i = 0; i < argc; i++) {
        const char *range = argument(argv[i], "at");
        if (range && nr_places < MAX_PLACES) {
            places[nr_places].low = take_hex(&range);
            if (*range++ != '-')
                return 1;
            places[nr_places++].high = take_hex(&range);
        } else if (argument(argv[i], "count")) {
            count = 1;
        } else {
            return 1;
        }
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return nr_places == 0;
}
