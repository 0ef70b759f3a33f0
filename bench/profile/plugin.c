// bench/profile/plugin.c — a QEMU plugin (TCG plugins, API version 1) that counts executed instructions.
//
//   -plugin plugin.so,begin=ADDRESS,end=ADDRESS -d plugin -D FILE
//
// Between an execution of the instruction at `begin` and the next one at `end`, every translated block's executions
// are counted. When QEMU ends, one line a block is written to the log: `<address> <instructions> <executions>`, in
// hexadecimal.
#include "bench/profile/qemu_plugin.h"

EXPORT int qemu_plugin_version = 1;

// A block is known by its address and length: QEMU translates the same code again and again, and may cut it
// differently.
struct block {
    uint64_t address, instructions;
    uint64_t executed; // since QEMU began
    uint64_t before;   // `executed` when counting last began
    uint64_t counted;  // while counting
};

enum { TABLE_BITS = 20, TABLE_SIZE = 1 << TABLE_BITS };

static struct block table[TABLE_SIZE]; // open addressing; a full table leaves blocks out, and says so
static struct block *used[TABLE_SIZE];
static size_t nr_used;
static uint64_t lost;
static uint64_t begin, end;
static int counting;

static struct block *find(uint64_t address, uint64_t instructions)
{
    uint64_t hash = (address ^ instructions << 56) * 0x9E3779B97F4A7C15;
    for (size_t probe = 0; probe < TABLE_SIZE; probe++) {
        struct block *block = &table[((hash >> (64 - TABLE_BITS)) + probe) % TABLE_SIZE];
        if (block->instructions == 0 && nr_used < TABLE_SIZE / 4 * 3) {
            block->address = address;
            block->instructions = instructions;
            block->before = 0;
            used[nr_used++] = block;
            return block;
        }
        if (block->instructions == 0)
            return NULL;
        if (block->address == address && block->instructions == instructions)
            return block;
    }
    return NULL;
}

static void begin_counting(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    for (size_t i = 0; i < nr_used; i++)
        used[i]->before = used[i]->executed;
    counting = 1;
}

static void end_counting(unsigned cpu, void *data)
{
    (void)cpu;
    (void)data;
    if (!counting)
        return;
    for (size_t i = 0; i < nr_used; i++)
        used[i]->counted += used[i]->executed - used[i]->before;
    counting = 0;
}

static void translated(plugin_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    uint64_t address = qemu_plugin_tb_vaddr(tb);
    struct block *block = find(address, qemu_plugin_tb_n_insns(tb));
    if (block)
        qemu_plugin_register_vcpu_tb_exec_inline(tb, INLINE_ADD_U64, &block->executed, 1);
    else
        lost++;
    if (address == begin)
        qemu_plugin_register_vcpu_tb_exec_cb(tb, begin_counting, CB_NO_REGS, NULL);
    if (address == end)
        qemu_plugin_register_vcpu_tb_exec_cb(tb, end_counting, CB_NO_REGS, NULL);
}

static void write_counts(plugin_id id, void *data)
{
    (void)id;
    (void)data;
    char line[64];
    for (size_t i = 0; i < nr_used; i++) {
        if (used[i]->counted == 0)
            continue;
        char *at = put_hex(line, used[i]->address, ' ');
        at = put_hex(at, used[i]->instructions, ' ');
        at = put_hex(at, used[i]->counted, '\n');
        *at = '\0';
        qemu_plugin_outs(line);
    }
    char *at = line;
    for (const char *word = "lost "; *word; word++)
        *at++ = *word;
    at = put_hex(at, lost, '\n');
    *at = '\0';
    qemu_plugin_outs(line);
}

int qemu_plugin_install(plugin_id id, const struct qemu_plugin_info *info, int argc, char **argv)
{
    (void)info;
    begin = end = UINT64_MAX;
    for (int i = 0; i < argc; i++) {
        const char *from = argument(argv[i], "begin"), *to = argument(argv[i], "end");
        begin = from ? take_hex(&from) : begin;
        end = to ? take_hex(&to) : end;
    }
    if (begin == UINT64_MAX || end == UINT64_MAX)
        return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, write_counts, NULL);
    return 0;
}
