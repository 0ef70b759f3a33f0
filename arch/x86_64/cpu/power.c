// arch/x86_64/cpu/power.c — waiting, stopping, switching off, starting over; and random numbers from the CPU.
#include "arch/include/cpu.h"
#include "arch/x86_64/cpu/features.h"
#include "cpu/io.h"
#include "kernel/base/string.h"
#include "kernel/drivers/acpi/acpi.h"

void arch_idle(void)
{
    // STI takes effect after the instruction behind it: no interrupt fits between the two.
    __asm__ volatile("sti; hlt; cli" ::: "memory");
}

void arch_halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt" ::: "memory");
}

void arch_poweroff(void)
{
    arch_irq_disable();
    acpi_poweroff();
}

void arch_reset(void)
{
    arch_irq_disable();
    acpi_reset();
    // The keyboard controller's pulse, then the port of PCI chipsets, then an exception that nobody can handle.
    for (unsigned i = 0; i < 100000 && inb(0x64) & 2; i++)
        cpu_relax();
    outb(0x64, 0xfe);
    for (unsigned i = 0; i < 1000000; i++)
        cpu_relax();
    outb(0xcf9, 0x02);
    outb(0xcf9, 0x06);
    const struct PACKED {
        uint16_t limit;
        uint64_t base;
    } empty = {};
    __asm__ volatile("lidt %0; int3" ::"m"(empty));
}

static bool random_word(bool seed, uint64_t *out)
{
    bool ok = false;
    for (unsigned tries = 0; tries < 10 && !ok; tries++) {
        if (seed)
            __asm__ volatile("rdseed %0; setc %1" : "=r"(*out), "=qm"(ok)::"cc");
        else
            __asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok)::"cc");
    }
    return ok;
}

size_t arch_random(void *buf, size_t size)
{
    if (!cpu_has(X86_RDSEED) && !cpu_has(X86_RDRAND))
        return 0;
    size_t done = 0;
    while (done < size) {
        uint64_t word;
        if (!(cpu_has(X86_RDSEED) && random_word(true, &word)) && !(cpu_has(X86_RDRAND) && random_word(false, &word)))
            break;
        size_t part = min(size - done, sizeof word);
        memcpy((char *)buf + done, &word, part);
        done += part;
    }
    return done;
}
