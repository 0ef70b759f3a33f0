// arch/x86_64/signal/fpstate.c — extended registers to and from a signal frame. What comes back may have been edited:
// a whole area is judged by XRSTOR itself, whose fault is expected; anything else is checked and put together in memory.
#include "arch/x86_64/signal/fpstate.h"

#include "arch/include/user_copy.h"
#include "arch/x86_64/cpu/features.h"
#include "arch/x86_64/signal/sigframe.h"
#include "kernel/base/string.h"

#define COMPONENTS_LEGACY 3UL // x87 and SSE

size_t sigframe_fpstate_size(void)
{
    return fpu_area_size + (cpu_has(X86_XSAVE) ? FP_XSTATE_MAGIC2_SIZE : 0);
}

#define PUT(type, offset, value) put_user_open((value), user_ptr(type, address + (offset)), fault)

// XSAVE writes the registers where they are to go; of the header it writes only the first word, and of the software bytes nothing.
static int write_state(unsigned long address)
{
    struct fpu_area __user *area = user_ptr(struct fpu_area, address);
    if (!user_range_ok(address, sigframe_fpstate_size()))
        return -EFAULT;
    arch_user_open();
    enum : size_t { header = offsetof(struct fpu_area, xstate_bv), sw = offsetof(struct fpu_legacy, sw_reserved) };
    for (size_t at = 0; at < sizeof(struct fpu_area) - header; at += sizeof(uint64_t))
        PUT(uint64_t, header + at, 0);
    if (fpu_xsave_user(area))
        goto fault;
    PUT(uint64_t, sw, FP_XSTATE_MAGIC1 | (uint64_t)(fpu_area_size + FP_XSTATE_MAGIC2_SIZE) << 32);
    PUT(uint64_t, sw + offsetof(struct fpu_sw_bytes, components), fpu_components);
    PUT(uint64_t, sw + offsetof(struct fpu_sw_bytes, state_size), (uint64_t)fpu_area_size);
    for (size_t at = offsetof(struct fpu_sw_bytes, state_size) + 8; at < sizeof(struct fpu_sw_bytes); at += sizeof(uint64_t))
        PUT(uint64_t, sw + at, 0);
    PUT(uint32_t, fpu_area_size, FP_XSTATE_MAGIC2);
    arch_user_close();
    return 0;
fault:
    arch_user_close();
    return -EFAULT;
}
#undef PUT

int sigframe_fpstate_push(unsigned long address)
{
    if (cpu_has(X86_XSAVE)) {
        int err = write_state(address);
        if (err)
            return err;
    } else {
        fpu_save_current();
        if (copy_to_user(user_ptr(void, address), current_thread()->arch.fpu, fpu_area_size))
            return -EFAULT;
    }
    fpu_load_initial(); // what was in the registers is in the frame now
    return 0;
}

// How much of the state at `address` is an XSAVE area: its size and components, or just the legacy part.
static int state_extent(unsigned long address, size_t *size, uint64_t *components)
{
    struct fpu_sw_bytes sw;
    *size = sizeof(struct fpu_legacy);
    *components = COMPONENTS_LEGACY;
    if (!cpu_has(X86_XSAVE))
        return 0;
    if (copy_from_user(&sw, user_ptr(void, address + offsetof(struct fpu_legacy, sw_reserved)), sizeof sw))
        return -EFAULT;
    if (sw.magic1 != FP_XSTATE_MAGIC1 || sw.state_size < offsetof(struct fpu_area, extended) ||
        sw.state_size > fpu_area_size || sw.state_size > sw.extended_size)
        return 0;
    uint32_t magic2;
    if (get_user(magic2, user_ptr(uint32_t, address + sw.state_size)))
        return -EFAULT;
    if (magic2 != FP_XSTATE_MAGIC2)
        return 0;
    *size = sw.state_size;
    *components = sw.components & fpu_components;
    return 0;
}

// A state that is not a whole XSAVE area of this machine: put together in memory.
static int read_partial(unsigned long address, size_t size, uint64_t components)
{
    struct fpu_area *area = current_thread()->arch.fpu;
    fpu_reset(area);
    if (copy_from_user(area, user_ptr(void, address), size))
        return -EFAULT;
    if (area->legacy.mxcsr & ~fpu_mxcsr_mask)
        return -EFAULT;
    if (!cpu_has(X86_XSAVE))
        return 0;
    if (size == sizeof(struct fpu_legacy))
        area->xstate_bv = COMPONENTS_LEGACY;
    if (area->xstate_bv & ~fpu_components || area->xcomp_bv || memchr_inv(area->reserved, 0, sizeof area->reserved))
        return -EFAULT;
    area->xstate_bv &= components;
    return 0;
}

static int pop_partial(unsigned long address, size_t size, uint64_t components)
{
    fpu_unload_current();
    int err = read_partial(address, size, components);
    if (err)
        fpu_reset(current_thread()->arch.fpu);
    fpu_load_current();
    return err;
}

int sigframe_fpstate_pop(unsigned long address)
{
    size_t size;
    uint64_t components;
    int err = address ? state_extent(address, &size, &components) : 0;
    if (address && !err && size == fpu_area_size && cpu_has(X86_XSAVE) && user_range_ok(address, size)) {
        err = fpu_xrstor_user(user_ptr(struct fpu_area, address), components);
        if (!err)
            return 0;
    } else if (address && !err) {
        return pop_partial(address, size, components);
    }
    fpu_load_initial();
    return err;
}
