// arch/x86_64/apic/irq.c — from vectors to handlers.
//
// A vector means the same on every CPU. Each used device vector has a line with a chain of handlers, which interrupts
// read without a lock; irq_lock guards changes, and what is taken off a chain is freed after an RCU grace period. Edge
// interrupts are acknowledged before their handlers run, so that a new edge is not lost; level interrupts after them,
// so that the same level is not seen twice.
#include "kernel/drivers/base/irq.h"

#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/percpu.h"
#include "arch/x86_64/time/tsc.h"
#include "cpu/ptrace.h"
#include "kernel/abi/errno.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/printk.h"
#include "kernel/drivers/acpi/acpi.h"
#include "kernel/mm/slab.h"
#include "kernel/sched/sched.h"
#include "kernel/sync/mutex.h"
#include "kernel/sync/rcu.h"
#include "kernel/vfs/seq_file.h"

struct irq_action {
    irq_handler handler;
    void *arg;
    const char *name;
    struct irq_action *next;
};

enum line_kind { LINE_UNUSED, LINE_GSI, LINE_MSI };
struct irq_line {
    struct irq_action *actions;
    enum line_kind kind;
    unsigned number; // as /proc/interrupts shows it: the GSI (or ISA interrupt), or a number above all GSIs
    unsigned gsi;
    bool level, active_low;
    uint32_t unhandled; // in a row
};

struct vector_counts {
    uint64_t count[256];
};
static DEFINE_PER_CPU(struct vector_counts, vector_counts);

static struct irq_line lines[256];
static DEFINE_LOCK_CLASS(irq_lock_class, "irq lines", (enum lock_rank)(RANK_EPOLL + 1)); // sleeps; chips and memory are inside
static struct mutex irq_lock = MUTEX_INIT(irq_lock, &irq_lock_class);

#define MSI_NUMBER_BASE 256u
#define UNHANDLED_LIMIT 100000u

static void run_line(unsigned vector)
{
    struct irq_line *line = &lines[vector];
    bool handled = false;
    if (!line->level)
        lapic_eoi();
    for (struct irq_action *a = load_acquire(&line->actions); a; a = load_acquire(&a->next))
        handled |= a->handler(a->arg);
    if (line->level)
        lapic_eoi();
    if (likely(handled)) {
        line->unhandled = 0;
    } else if (++line->unhandled == UNHANDLED_LIMIT && line->kind == LINE_GSI) {
        pr_err("interrupt %u: nobody cares, masked\n", line->number);
        ioapic_mask(line->gsi);
    }
}

void arch_interrupt(struct pt_regs *regs, unsigned vector)
{
    struct pt_regs *outer = this_cpu_read(arch_irq_regs_ptr);
    this_cpu_write(arch_irq_regs_ptr, regs);
    irq_enter(regs_user_mode(regs));
    this_cpu_ptr(&vector_counts)->count[vector]++;
    switch (vector) {
    case VECTOR_TIMER:
        lapic_eoi();
        timer_interrupt();
        break;
    case VECTOR_RESCHED:
        lapic_eoi();
        sched_resched_interrupt();
        break;
    case VECTOR_CALL:
        lapic_eoi();
        smp_call_function_interrupt();
        break;
    case VECTOR_STOP:
        lapic_eoi();
        smp_stop_interrupt();
        break;
    case VECTOR_SPURIOUS:
        break; // was never in service
    default:
        run_line(vector);
        break;
    }
    // As irq_exit(), but the switch to another thread happens in entry.S, back on the thread's own stack.
    compiler_barrier();
    this_cpu_add(preempt_count, -PREEMPT_HARDIRQ);
    this_cpu_write(arch_irq_regs_ptr, outer);
}

static int add_action(unsigned vector, irq_handler handler, void *arg, const char *name) REQUIRES(irq_lock)
{
    struct irq_action *action = kmalloc(sizeof *action, ALLOC_KERNEL);
    if (!action)
        return -ENOMEM;
    *action = (struct irq_action){.handler = handler, .arg = arg, .name = name, .next = lines[vector].actions};
    store_release(&lines[vector].actions, action);
    return 0;
}

static int free_vector(void) REQUIRES(irq_lock)
{
    for (int v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (lines[v].kind == LINE_UNUSED)
            return v;
    return -ENOSPC;
}

static int vector_of_gsi(unsigned gsi) REQUIRES(irq_lock)
{
    for (int v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (lines[v].kind == LINE_GSI && lines[v].gsi == gsi)
            return v;
    return 0;
}

static int request_gsi(unsigned gsi, unsigned number, unsigned flags, irq_handler handler, void *arg, const char *name)
    REQUIRES(irq_lock)
{
    bool level = flags & IRQ_LEVEL, active_low = flags & IRQ_ACTIVE_LOW;
    int vector = vector_of_gsi(gsi);
    if (vector) {
        if (!level || !lines[vector].level || lines[vector].active_low != active_low)
            return -EBUSY;
        int err = add_action((unsigned)vector, handler, arg, name);
        return err ? err : vector;
    }
    vector = free_vector();
    if (vector < 0)
        return vector;
    lines[vector] =
        (struct irq_line){.kind = LINE_GSI, .gsi = gsi, .number = number, .level = level, .active_low = active_low};
    int err = add_action((unsigned)vector, handler, arg, name);
    if (!err)
        err = ioapic_route(gsi, (unsigned)vector, cpu_apic_id[0], level, active_low);
    if (err) {
        kfree(lines[vector].actions);
        lines[vector] = (struct irq_line){};
        return err;
    }
    return vector;
}

int irq_request_gsi(unsigned gsi, unsigned flags, irq_handler handler, void *arg, const char *name)
{
    mutex_guard(&irq_lock);
    return request_gsi(gsi, gsi, flags, handler, arg, name);
}

int irq_request_isa(unsigned irq, irq_handler handler, void *arg, const char *name)
{
    if (irq >= 16)
        return -ENODEV;
    const struct acpi_isa_irq *isa = &acpi_info.isa[irq];
    mutex_guard(&irq_lock);
    return request_gsi(isa->gsi, irq, (isa->level ? IRQ_LEVEL : 0) | (isa->active_low ? IRQ_ACTIVE_LOW : 0), handler,
                       arg, name);
}

int irq_request_msi(irq_handler handler, void *arg, const char *name, struct msi_message *message)
{
    const uint64_t msi_address = 0xfee00000;
    mutex_guard(&irq_lock);
    int vector = free_vector();
    if (vector < 0)
        return vector;
    lines[vector] = (struct irq_line){.kind = LINE_MSI, .number = MSI_NUMBER_BASE + (unsigned)vector};
    int err = add_action((unsigned)vector, handler, arg, name);
    if (err) {
        lines[vector] = (struct irq_line){};
        return err;
    }
    *message = (struct msi_message){.address = msi_address | (uint64_t)cpu_apic_id[0] << 12, .data = (uint32_t)vector};
    return vector;
}

void irq_release(int handle, void *arg)
{
    if (handle < VECTOR_DEVICE_FIRST || handle > VECTOR_DEVICE_LAST)
        return;
    struct irq_action *found = nullptr;
    mutex_lock(&irq_lock);
    struct irq_line *line = &lines[handle];
    for (struct irq_action **link = &line->actions; *link; link = &(*link)->next) {
        if ((*link)->arg == arg) {
            found = *link;
            store_release(link, found->next);
            break;
        }
    }
    if (!line->actions && line->kind == LINE_GSI)
        ioapic_mask(line->gsi);
    synchronize_rcu(); // handlers run with preemption off
    if (!line->actions)
        *line = (struct irq_line){};
    mutex_unlock(&irq_lock);
    kfree(found);
}

static void show_counts(struct seq_file *m, unsigned vector)
{
    unsigned cpu;
    for_each_online_cpu(cpu)
        seq_printf(m, " %10llu", (unsigned long long)per_cpu_ptr(&vector_counts, cpu)->count[vector]);
}

static void show_line(struct seq_file *m, unsigned vector) REQUIRES(irq_lock)
{
    const struct irq_line *line = &lines[vector];
    seq_printf(m, "%3u:", line->number);
    show_counts(m, vector);
    if (line->kind == LINE_GSI)
        seq_printf(m, "   IO-APIC %3u-%s  ", line->gsi, line->level ? "fasteoi" : "edge   ");
    else
        seq_printf(m, "   PCI-MSI %3u-edge     ", vector);
    for (const struct irq_action *a = line->actions; a; a = a->next)
        seq_printf(m, " %s%s", a->name, a->next ? "," : "");
    seq_printf(m, "\n");
}

void irqs_show(struct seq_file *m)
{
    static const struct {
        const char *label, *text;
        unsigned vector;
    } own[] = {{"LOC", "Local timer interrupts", VECTOR_TIMER}, {"SPU", "Spurious interrupts", VECTOR_SPURIOUS},
               {"RES", "Rescheduling interrupts", VECTOR_RESCHED}, {"CAL", "Function call interrupts", VECTOR_CALL}};
    unsigned cpu;
    seq_printf(m, "           "); // the labels' width, and what a count is wider than a CPU's name
    for_each_online_cpu(cpu)
        seq_printf(m, "CPU%-8u", cpu);
    seq_printf(m, "\n");
    mutex_guard(&irq_lock);
    for (unsigned v = VECTOR_DEVICE_FIRST; v <= VECTOR_DEVICE_LAST; v++)
        if (lines[v].actions)
            show_line(m, v);
    for (unsigned i = 0; i < ARRAY_SIZE(own); i++) {
        seq_printf(m, "%s:", own[i].label);
        show_counts(m, own[i].vector);
        seq_printf(m, "   %s\n", own[i].text);
    }
    uint64_t errors = 0; // that local APICs found: of messages between CPUs, mostly
    for_each_online_cpu(cpu)
        errors += per_cpu_ptr(&vector_counts, cpu)->count[VECTOR_ERROR];
    seq_printf(m, "ERR: %10llu\n", (unsigned long long)errors);
}

uint64_t irqs_total(void)
{
    uint64_t sum = 0;
    unsigned cpu;
    for_each_online_cpu(cpu)
        for (unsigned v = 0; v < 256; v++)
            sum += per_cpu_ptr(&vector_counts, cpu)->count[v];
    return sum;
}
