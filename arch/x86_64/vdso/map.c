// arch/x86_64/vdso/map.c — puts the data page and, right behind it, the vDSO's code into a new address space.
//
// Both are pages of the kernel's image, the same for everybody: mapped by frame number, never counted, never written by users.
#include "arch/include/elf.h"
#include "arch/x86_64/vdso/image.h"
#include "kernel/abi/errno.h"
#include "kernel/boot/boot_info.h"
#include "kernel/mm/mm.h"
#include "kernel/time/vdso_data.h"

// Read-only by itself: mprotect(2) can not make it writable either.
#define VVAR_FLAGS (VM_READ | VM_MAYREAD | VM_PFNMAP | VM_SPECIAL | VM_DONTDUMP)
#define VDSO_FLAGS (VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC | VM_PFNMAP | VM_SPECIAL)

static pfn_t image_pfn(const void *address)
{
    return (boot_info.kernel_phys + ((uintptr_t)address - boot_info.kernel_virt)) >> PAGE_SHIFT;
}

static int vvar_fault(struct vm_fault *vmf)
{
    if (vmf->write)
        return -EFAULT;
    vmf->pfn = image_pfn(&vdso_page);
    return 0;
}

static int vdso_fault(struct vm_fault *vmf)
{
    size_t page = (vmf->address - vmf->vma->start) >> PAGE_SHIFT;
    if (vmf->write || page >= vdso_image_pages)
        return -EFAULT;
    vmf->pfn = image_pfn(vdso_image) + page;
    return 0;
}

static const char *vvar_name(struct vma *)
{
    return "[vvar]";
}

static const char *vdso_name(struct vma *)
{
    return "[vdso]";
}

static const struct vma_ops vvar_ops = {.fault = vvar_fault, .name = vvar_name};
static const struct vma_ops vdso_ops = {.fault = vdso_fault, .name = vdso_name};

int arch_map_vdso(struct mm *mm, vaddr_t *address)
{
    size_t code = vdso_image_pages * PAGE_SIZE;
    // A place for both: reserve it as one, then map the parts there.
    long place = mm_map_special(mm, 0, PAGE_SIZE + code, VVAR_FLAGS, &vvar_ops, nullptr);
    if (place < 0)
        return (int)place;
    int err = mm_munmap(mm, (vaddr_t)place + PAGE_SIZE, code);
    if (err)
        return err;
    long vdso = mm_map_special(mm, (vaddr_t)place + PAGE_SIZE, code, VDSO_FLAGS, &vdso_ops, nullptr);
    if (vdso < 0)
        return (int)vdso;
    *address = mm->arch.vdso = (vaddr_t)vdso;
    return 0;
}
