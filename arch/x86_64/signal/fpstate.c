// arch/x86_64/signal/fpstate.c — extended registers to and from a signal frame. What comes back may have been edited:
// it is checked before the CPU sees it, because XRSTOR of a bad area faults in the kernel.
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

// Writes the area, then over its software bytes, then the second magic number behind it.
static int write_state(unsigned long address, const struct fpu_area *area)
{
    if (copy_to_user(user_ptr(void, address), area, fpu_area_size))
        return -EFAULT;
    if (!cpu_has(X86_XSAVE))
        return 0;
    struct fpu_sw_bytes sw = {.magic1 = FP_XSTATE_MAGIC1,
                              .extended_size = fpu_area_size + FP_XSTATE_MAGIC2_SIZE,
                              .components = fpu_components,
                              .state_size = fpu_area_size};
    if (copy_to_user(user_ptr(void, address + offsetof(struct fpu_legacy, sw_reserved)), &sw, sizeof sw))
        return -EFAULT;
    // The legacy part is always written in full: readers that know only FXSAVE need not look at the header.
    if (put_user(area->xstate_bv | COMPONENTS_LEGACY,
                 user_ptr(uint64_t, address + offsetof(struct fpu_area, xstate_bv))))
        return -EFAULT;
    return put_user(FP_XSTATE_MAGIC2, user_ptr(uint32_t, address + fpu_area_size));
}

int sigframe_fpstate_push(unsigned long address)
{
    struct fpu_area *area = current_thread()->arch.fpu;
    fpu_save_current();
    int err = write_state(address, area);
    if (err)
        return err;
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

static int read_state(unsigned long address, struct fpu_area *area)
{
    size_t size;
    uint64_t components;
    int err = state_extent(address, &size, &components);
    if (err)
        return err;
    if (size < fpu_area_size)
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

int sigframe_fpstate_pop(unsigned long address)
{
    struct fpu_area *area = current_thread()->arch.fpu;
    fpu_unload_current();
    int err = 0;
    if (address)
        err = read_state(address, area);
    if (!address || err)
        fpu_reset(area);
    fpu_load_current();
    return err;
}
