// arch/x86_64/time/clock.c — arch_clock_ns(): nanoseconds since boot from the time stamp counter.
//
// time = base_ns + (counter - base) * rate / 2^32. The parameters are an immutable set that readers reach through one
// pointer, so that a change (a better rate, another counter) is one store, and the new set continues where the old one
// stands. The TSC is trusted if no CPU's counter is seen behind another's when that CPU starts; whether the CPU calls
// it invariant decides nothing, because emulators do not say so. If one is behind, the HPET takes over; without an HPET
// the TSC stays, held to never step back.
#define PR_FMT(fmt) "clock: " fmt
#include "arch/include/cpu.h"
#include "arch/x86_64/apic/apic.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/cpu/msr.h"
#include "arch/x86_64/time/hpet.h"
#include "arch/x86_64/time/tsc.h"
#include "kernel/base/atomic.h"
#include "kernel/base/panic.h"
#include "kernel/base/printk.h"
#include "kernel/boot/boot_info.h"
#include "kernel/boot/init.h"
#include "kernel/time/hrtimer.h"
#include "kernel/time/vdso_data.h"

enum clock_kind { CLOCK_TSC, CLOCK_TSC_HELD, CLOCK_HPET };
struct clock_params {
    enum clock_kind kind;
    uint64_t base;
    ktime_t base_ns;
    uint64_t rate; // ns per tick, 32 fraction bits
};

static struct clock_params param_sets[3]; // at boot; with the refined rate; without the TSC
static const struct clock_params *clock_now;
static uint64_t measured_khz; // atomic
static bool exact_rate RO_AFTER_INIT;
static uint64_t lapic_khz_ RO_AFTER_INIT;
static const struct reference_clock *hpet_source RO_AFTER_INIT;
static ktime_t highest_seen; // CLOCK_TSC_HELD; atomic

static inline uint64_t read_tsc_ordered(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

static inline ktime_t scale(const struct clock_params *p, uint64_t counter)
{
    int64_t ticks = (int64_t)(counter - p->base);
    if (unlikely(ticks < 0)) // another CPU's counter was a little ahead when the base was taken
        return p->base_ns;
    return p->base_ns + (ktime_t)((unsigned __int128)(uint64_t)ticks * p->rate >> 32);
}

static NOINLINE ktime_t clock_ns_other(const struct clock_params *p)
{
    if (p->kind == CLOCK_HPET)
        return scale(p, hpet_source->read());
    ktime_t now = scale(p, read_tsc_ordered());
    ktime_t seen = __atomic_load_n(&highest_seen, __ATOMIC_RELAXED);
    while (seen < now)
        if (try_cmpxchg(&highest_seen, &seen, now))
            return now;
    return seen;
}

ktime_t arch_clock_ns(void)
{
    const struct clock_params *p = load_acquire(&clock_now);
    if (unlikely(!p))
        return 0;
    if (likely(p->kind == CLOCK_TSC))
        return scale(p, read_tsc_ordered());
    return clock_ns_other(p);
}

const char *arch_clock_name(void)
{
    return load_acquire(&clock_now)->kind == CLOCK_HPET ? "hpet" : "tsc";
}

uint64_t tsc_khz(void)
{
    return measured_khz;
}

uint64_t lapic_timer_khz(void)
{
    return lapic_khz_;
}

// A deadline beyond the counter's end is one that never comes.
static uint64_t counter_at(uint64_t from, unsigned __int128 ticks)
{
    const uint64_t last = UINT64_MAX - 1;
    return ticks < last - from ? from + (uint64_t)ticks : last;
}

uint64_t clock_ns_to_tsc(ktime_t ns)
{
    const struct clock_params *p = load_acquire(&clock_now);
    if (likely(p->kind == CLOCK_TSC)) {
        if (ns <= p->base_ns)
            return p->base;
        return counter_at(p->base, ((unsigned __int128)(uint64_t)(ns - p->base_ns) << 32) / p->rate);
    }
    // The set in use describes another counter, or one of several that differ: what this CPU's shows then follows from the time left.
    ktime_t left = ns - arch_clock_ns();
    uint64_t now = read_tsc_ordered();
    return left <= 0 ? now : counter_at(now, (unsigned __int128)(uint64_t)left * measured_khz / 1000000);
}

bool clock_tsc_params(uint64_t *base, ktime_t *base_ns, uint64_t *rate)
{
    const struct clock_params *p = load_acquire(&clock_now);
    if (!p || p->kind != CLOCK_TSC)
        return false;
    *base = p->base;
    *base_ns = p->base_ns;
    *rate = p->rate;
    return true;
}

// Makes `p` the clock, here and in the page that user space reads.
static void publish(const struct clock_params *p)
{
    store_release(&clock_now, p);
    vdso_data_write_begin();
    vdso_page.data.clock_mode = p->kind == CLOCK_TSC ? CLOCK_MODE_COUNTER : CLOCK_MODE_SYSCALL;
    vdso_page.data.counter_base = p->base;
    vdso_page.data.base_ns = p->base_ns;
    vdso_page.data.rate = p->rate;
    vdso_data_write_end();
}

struct sample {
    uint64_t tsc, reference;
    uint32_t lapic;
};

// The reference counter and the TSC at one moment: of several tries the one that took the least time, so that an
// interruption by the host does not count.
static struct sample take_sample(const struct reference_clock *ref)
{
    struct sample best = {};
    uint64_t least = UINT64_MAX;
    for (unsigned i = 0; i < 8; i++) {
        uint64_t before = read_tsc_ordered();
        uint64_t reference = ref->read();
        uint64_t after = read_tsc_ordered();
        if (after - before < least) {
            least = after - before;
            best = (struct sample){
                .tsc = before + (after - before) / 2, .reference = reference, .lapic = lapic_timer_count()};
        }
    }
    return best;
}

static uint64_t khz_of(uint64_t ticks, uint64_t ns)
{
    return (uint64_t)(((unsigned __int128)ticks * 1000000 + ns / 2) / ns);
}

static const struct reference_clock *reference RO_AFTER_INIT;
static struct sample boot_sample RO_AFTER_INIT;

static uint64_t reference_ns(const struct sample *from, const struct sample *to)
{
    const uint64_t fs_per_ns = 1000000;
    return (uint64_t)((unsigned __int128)((to->reference - from->reference) & reference->mask) *
                      reference->femtoseconds / fs_per_ns);
}

// After how many ns it is back at the same reading.
static uint64_t reference_period_ns(void)
{
    if (reference->mask == UINT64_MAX)
        return UINT64_MAX;
    return (uint64_t)((unsigned __int128)reference->mask * reference->femtoseconds / 1000000);
}

// Measures the rates of the TSC and of the local APIC's timer.
static void measure(void)
{
    const uint64_t window_ns = 5 * NSEC_PER_MSEC, fs_per_ns = 1000000;
    const struct reference_clock *ref = reference = reference_clock_find();
    lapic_timer_setup(false);
    lapic_timer_start(UINT32_MAX);
    struct sample start = take_sample(ref), end;
    uint64_t wanted = window_ns * fs_per_ns / ref->femtoseconds;
    while (((ref->read() - start.reference) & ref->mask) < wanted)
        cpu_relax();
    end = take_sample(ref);
    lapic_timer_start(0);
    boot_sample = start;
    uint64_t ns = reference_ns(&start, &end);
    measured_khz = khz_of(end.tsc - start.tsc, ns);
    lapic_khz_ = khz_of(start.lapic - end.lapic, ns);
    pr_info("TSC %llu.%03llu MHz, APIC timer %llu.%03llu MHz, measured with the %s\n",
            (unsigned long long)measured_khz / 1000, (unsigned long long)measured_khz % 1000,
            (unsigned long long)lapic_khz_ / 1000, (unsigned long long)lapic_khz_ % 1000, ref->name);
}

// What the CPU or the hypervisor says is exact, where it says anything.
static uint64_t told_khz(void)
{
    if (boot_cpu.max_leaf >= 0x15) {
        struct cpuid_regs r = cpuid(0x15, 0);
        if (r.eax && r.ebx && r.ecx)
            return (uint64_t)r.ecx * r.ebx / r.eax / 1000;
    }
    if (cpu_has(X86_HYPERVISOR) && cpuid(0x40000000, 0).eax >= 0x40000010)
        return cpuid(0x40000010, 0).eax;
    return 0;
}

void clock_init(void)
{
    if (!cpu_has(X86_TSC))
        panic("this CPU has no time stamp counter");
    hpet_source = hpet_clock();
    measure();
    uint64_t told = told_khz();
    exact_rate = told && told / 100 * 99 < measured_khz && measured_khz < told / 100 * 101;
    if (exact_rate)
        measured_khz = told;
    // Time began with our first instruction.
    struct clock_params *p = &param_sets[0];
    uint64_t now = read_tsc_ordered();
    uint64_t base = boot_info.entry_cycles && boot_info.entry_cycles <= now ? boot_info.entry_cycles : now;
    *p = (struct clock_params){.kind = CLOCK_TSC, .base = base, .rate = ((uint64_t)1000000 << 32) / measured_khz};
    publish(p);
    log_clock = arch_clock_ns;
}

// A second later the same is measured over the whole second: a hundred times as exact. The clock goes on from where it stands.
static ktime_t refine([[maybe_unused]] struct hrtimer *timer)
{
    const struct clock_params *old = clock_now;
    struct sample now = take_sample(reference);
    uint64_t ns = reference_ns(&boot_sample, &now);
    if (old != &param_sets[0] || ns < NSEC_PER_SEC / 2)
        return KTIME_MAX;
    // So late that the reference has wrapped, or may have, it tells nothing: the PM timer does so every 4.7 s.
    if ((unsigned __int128)(now.tsc - boot_sample.tsc) * 1000000 / measured_khz > reference_period_ns() / 8 * 7)
        return KTIME_MAX;
    struct clock_params *p = &param_sets[1];
    uint64_t base = read_tsc_ordered();
    unsigned __int128 rate = ((unsigned __int128)ns << 32) / (now.tsc - boot_sample.tsc);
    *p = (struct clock_params){.kind = CLOCK_TSC, .base = base, .base_ns = scale(old, base), .rate = (uint64_t)rate};
    __atomic_store_n(&measured_khz, khz_of(now.tsc - boot_sample.tsc, ns), __ATOMIC_RELAXED);
    publish(p);
    pr_info("TSC %llu.%03llu MHz, refined\n", (unsigned long long)measured_khz / 1000,
            (unsigned long long)measured_khz % 1000);
    return KTIME_MAX;
}

static int clock_refine_later(void)
{
    static struct hrtimer timer;
    if (reference_period_ns() < 3 * NSEC_PER_SEC || exact_rate)
        return 0;
    hrtimer_init(&timer, HRTIMER_MONOTONIC, refine);
    hrtimer_start(&timer, arch_clock_ns() + NSEC_PER_SEC);
    return 0;
}
INITCALL(device, clock_refine_later);

// The TSC can not be trusted: another counter goes on from here.
static void abandon_tsc(int64_t behind)
{
    ktime_t now = arch_clock_ns();
    struct clock_params *p = &param_sets[2];
    if (hpet_source) {
        const uint64_t fs_per_ns = 1000000;
        *p = (struct clock_params){.kind = CLOCK_HPET,
                                   .base = hpet_source->read(),
                                   .base_ns = now,
                                   .rate = (hpet_source->femtoseconds << 32) / fs_per_ns};
    } else {
        *p = *clock_now;
        p->kind = CLOCK_TSC_HELD;
        __atomic_store_n(&highest_seen, now, __ATOMIC_RELAXED);
    }
    publish(p);
    pr_warn("TSCs differ by %lld ticks: %s\n", (long long)behind,
            hpet_source ? "using the HPET" : "using the TSC, held");
}

// Two CPUs take turns noting their counters under one lock; each must see the other's last value behind it. `step` only
// grows: four per pair.
static struct {
    uint32_t lock, step, pairs;
    uint64_t last;
    int64_t worst;
} sync;
#define SYNC_ROUNDS 500

static void sync_wait(uint32_t step)
{
    __atomic_add_fetch(&sync.step, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&sync.step, __ATOMIC_SEQ_CST) < step)
        cpu_relax();
}

static void sync_rounds(uint32_t pair)
{
    sync_wait(pair * 4 + 2);
    for (unsigned i = 0; i < SYNC_ROUNDS; i++) {
        while (__atomic_exchange_n(&sync.lock, 1, __ATOMIC_ACQUIRE))
            cpu_relax();
        uint64_t now = read_tsc_ordered();
        if ((int64_t)(sync.last - now) > sync.worst)
            sync.worst = (int64_t)(sync.last - now);
        sync.last = now;
        __atomic_store_n(&sync.lock, 0, __ATOMIC_RELEASE);
    }
    sync_wait(pair * 4 + 4);
}

void tsc_sync_source(void)
{
    sync.last = 0;
    sync.worst = 0;
    sync_rounds(sync.pairs);
    __atomic_store_n(&sync.pairs, sync.pairs + 1, __ATOMIC_SEQ_CST); // for the next pair, which starts later
    if (sync.worst > 0 && clock_now->kind == CLOCK_TSC)
        abandon_tsc(sync.worst);
}

void tsc_sync_target(void)
{
    sync_rounds(__atomic_load_n(&sync.step, __ATOMIC_SEQ_CST) / 4);
}
