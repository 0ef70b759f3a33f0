// kernel/proc/exec_elf.c — loading ELF programs: static, position-independent, and with an interpreter (the dynamic loader).
//
// The headers are read and the interpreter is found before binary_commit(): ENOEXEC and its kin. Whether segments can be mapped turns out after it, and
// then the process dies, as on Linux. Segments are private mappings of the file, aligned down to pages; what lies between the end of the file's part
// and the end of the segment (bss) is zeroed in the last page and anonymous beyond it.

#include "arch/include/elf.h"
#include "arch/include/user_copy.h"
#include "kernel/abi/elf.h"
#include "kernel/abi/mman.h"
#include "kernel/abi/personality.h"
#include "kernel/base/random.h"
#include "kernel/mm/slab.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/internal.h"
#include "kernel/vfs/file.h"
#include "kernel/vfs/namei.h"

#define PHDRS_MAX (64 * 1024 / sizeof(struct elf64_phdr))
#define PAGE_OFFSET_MASK (PAGE_SIZE - 1)

struct elf_image {
    struct file *file;
    struct elf64_ehdr ehdr;
    struct elf64_phdr *phdrs;
    vaddr_t bias;           // added to the file's addresses
    vaddr_t low, high;      // span of all segments, page aligned, without bias
    vaddr_t phdr_address;   // of the program headers in memory, with bias; 0: not loaded
    vaddr_t bss_end;        // highest byte of any segment, with bias
    bool first_mapped;
};

static int check_header(const struct elf64_ehdr *eh)
{
    static const uint8_t magic[4] = {0x7f, 'E', 'L', 'F'};
    if (memcmp(eh->ident, magic, sizeof magic))
        return -ENOEXEC;
    if (eh->ident[4] != ELFCLASS64 || eh->ident[5] != ELFDATA2LSB || eh->machine != ARCH_ELF_MACHINE)
        return -ENOEXEC;
    if ((eh->type != ET_EXEC && eh->type != ET_DYN) || eh->phentsize != sizeof(struct elf64_phdr))
        return -ENOEXEC;
    return eh->phnum == 0 || eh->phnum > PHDRS_MAX ? -ENOEXEC : 0;
}

// Segments must be in ascending order, inside user memory and not wrap: then offsets and spans can be added without care.
static int check_segments(struct elf_image *img)
{
    vaddr_t last = 0;
    img->low = USER_END;
    img->high = 0;
    for (unsigned i = 0; i < img->ehdr.phnum; i++) {
        const struct elf64_phdr *ph = &img->phdrs[i];
        if (ph->type != PT_LOAD)
            continue;
        if (ph->filesz > ph->memsz || ph->memsz > USER_END || ph->vaddr > USER_END - ph->memsz || ph->vaddr < last)
            return -EINVAL;
        if (ph->filesz && (ph->offset > INT64_MAX - ph->filesz || (ph->offset & PAGE_OFFSET_MASK) != (ph->vaddr & PAGE_OFFSET_MASK)))
            return -EINVAL;
        last = ph->vaddr;
        if (!ph->memsz)
            continue;
        img->low = min(img->low, ALIGN_DOWN(ph->vaddr, PAGE_SIZE));
        img->high = max(img->high, ALIGN_UP(ph->vaddr + ph->memsz, PAGE_SIZE));
    }
    return img->high > img->low ? 0 : -EINVAL;
}

// Reads the headers; the first `head_size` bytes of the file may be in `head` already. -ENOEXEC (not an ELF file for this machine, or without its program
// headers), -EIO (shorter than a header), -ENOMEM.
static int image_open(struct elf_image *img, struct file *file, const void *head, size_t head_size)
{
    *img = (struct elf_image){.file = file};
    int err = 0;
    if (head)
        memcpy(&img->ehdr, head, sizeof img->ehdr);
    else
        err = exec_read(file, &img->ehdr, sizeof img->ehdr, 0);
    if (!err)
        err = check_header(&img->ehdr);
    if (err)
        return err;
    size_t size = img->ehdr.phnum * sizeof(struct elf64_phdr);
    if (!(img->phdrs = kmalloc(size, ALLOC_KERNEL)))
        return -ENOMEM;
    if (img->ehdr.phoff > INT64_MAX - size)
        return -ENOEXEC;
    if (img->ehdr.phoff + size <= head_size)
        memcpy(img->phdrs, (const uint8_t *)head + img->ehdr.phoff, size);
    else
        err = exec_read(file, img->phdrs, size, (loff_t)img->ehdr.phoff);
    return err == -EIO ? -ENOEXEC : err;
}

static unsigned segment_prot(const struct elf64_phdr *ph)
{
    return (ph->flags & PF_R ? PROT_READ : 0) | (ph->flags & PF_W ? PROT_WRITE : 0) | (ph->flags & PF_X ? PROT_EXEC : 0);
}

// Zeroes the rest of the last file page, and maps anonymous memory behind it.
static int map_bss(struct mm *mm, vaddr_t file_end, vaddr_t mem_end, unsigned prot)
{
    vaddr_t page_end = ALIGN_UP(file_end, PAGE_SIZE);
    if (file_end & PAGE_OFFSET_MASK) {
        // A read-only segment with a bss tail is odd but legal; Linux does not clear it either.
        size_t part = page_end - file_end;
        if ((prot & PROT_WRITE) && clear_user(user_ptr(void, file_end), part))
            return -EFAULT;
    }
    mem_end = ALIGN_UP(mem_end, PAGE_SIZE);
    if (mem_end <= page_end)
        return 0;
    long at = mm_mmap(mm, page_end, mem_end - page_end, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, nullptr, 0);
    return at < 0 ? (int)at : 0;
}

// `fixed`: the bias is decided already (and the place must be free). Else the first segment finds room for all and decides it.
static int map_segment(struct mm *mm, struct elf_image *img, const struct elf64_phdr *ph, bool fixed)
{
    // One that has nothing in the file is anonymous memory, whatever its offset says.
    struct file *file = ph->filesz ? img->file : nullptr;
    unsigned prot = segment_prot(ph), flags = MAP_PRIVATE | (file ? 0 : MAP_ANONYMOUS);
    vaddr_t start = ALIGN_DOWN(ph->vaddr, PAGE_SIZE);
    size_t in_page = ph->vaddr & PAGE_OFFSET_MASK, size = ALIGN_UP((file ? ph->filesz : ph->memsz) + in_page, PAGE_SIZE);
    uint64_t offset = file ? ph->offset - in_page : 0;
    if (!img->first_mapped && !fixed) {
        // Room for the whole span is found by mapping that much of the first segment, and the excess is given back.
        size_t span = img->high - img->low;
        long at = mm_mmap(mm, 0, span, prot, flags, file, offset);
        if (at < 0)
            return (int)at;
        img->bias = (vaddr_t)at - start;
        img->first_mapped = true;
        if (span > size) {
            int err = mm_munmap(mm, (vaddr_t)at + size, span - size);
            if (err)
                return err;
        }
    } else if (size) {
        flags |= img->first_mapped ? MAP_FIXED : MAP_FIXED_NOREPLACE;
        long at = mm_mmap(mm, img->bias + start, size, prot, flags, file, offset);
        if (at < 0)
            return (int)at;
        img->first_mapped = true;
    }
    vaddr_t mem_end = img->bias + ph->vaddr + ph->memsz;
    img->bss_end = max(img->bss_end, mem_end);
    if (img->ehdr.phoff >= ph->offset && img->ehdr.phoff < ph->offset + ph->filesz)
        img->phdr_address = img->bias + ph->vaddr + (img->ehdr.phoff - ph->offset);
    return file && ph->memsz > ph->filesz ? map_bss(mm, img->bias + ph->vaddr + ph->filesz, mem_end, prot) : 0;
}

static int map_image(struct mm *mm, struct elf_image *img, bool fixed)
{
    for (unsigned i = 0; i < img->ehdr.phnum; i++) {
        const struct elf64_phdr *ph = &img->phdrs[i];
        if (ph->type != PT_LOAD || !ph->memsz)
            continue;
        int err = map_segment(mm, img, ph, fixed);
        if (err)
            return err;
    }
    return 0;
}

// The interpreter's path from PT_INTERP. *out stays null when the program has none.
static int open_interpreter(const struct elf_image *img, struct file **out)
{
    for (unsigned i = 0; i < img->ehdr.phnum; i++) {
        const struct elf64_phdr *ph = &img->phdrs[i];
        if (ph->type != PT_INTERP)
            continue;
        if (ph->filesz < 2 || ph->filesz > PATH_MAX)
            return -ENOEXEC;
        char *text = kmalloc(ph->filesz, ALLOC_KERNEL);
        if (!text)
            return -ENOMEM;
        int err = exec_read(img->file, text, ph->filesz, (loff_t)ph->offset);
        if (!err && text[ph->filesz - 1])
            err = -ENOEXEC;
        if (!err) {
            struct pathname name __attribute__((uninitialized));
            pathname_from_kernel(&name, text);
            err = exec_open(AT_FDCWD, &name, LOOKUP_FOLLOW, out);
        }
        kfree(text);
        return err;
    }
    return 0;
}

static bool wants_exec_stack(const struct elf_image *img)
{
    for (unsigned i = 0; i < img->ehdr.phnum; i++)
        if (img->phdrs[i].type == PT_GNU_STACK)
            return img->phdrs[i].flags & PF_X;
    return false; // a program without the mark gets a plain stack
}

static vaddr_t largest_alignment(const struct elf_image *img)
{
    vaddr_t align = PAGE_SIZE;
    for (unsigned i = 0; i < img->ehdr.phnum; i++) {
        const struct elf64_phdr *ph = &img->phdrs[i];
        if (ph->type == PT_LOAD && ph->align > align && (ph->align & (ph->align - 1)) == 0 && ph->align <= 1ul << 30)
            align = ph->align;
    }
    return align;
}

// Where a position-independent program goes: two thirds up user memory, so that brk has room above it and mmap above that.
static vaddr_t program_base(const struct binary *bin, const struct elf_image *img)
{
    vaddr_t base = USER_END / 3 * 2;
    if (bin->layout.randomise)
        base += random_below(1ul << 28) << PAGE_SHIFT;
    return ALIGN_DOWN(base, largest_alignment(img)) - img->low;
}

static void note_code_and_data(struct mm *mm, const struct elf_image *img)
{
    mm->start_code = ~0ul;
    for (unsigned i = 0; i < img->ehdr.phnum; i++) {
        const struct elf64_phdr *ph = &img->phdrs[i];
        if (ph->type != PT_LOAD)
            continue;
        vaddr_t start = img->bias + ph->vaddr, end = start + ph->filesz;
        if (ph->flags & PF_X) {
            mm->start_code = min(mm->start_code, start);
            mm->end_code = max(mm->end_code, end);
        }
        if (end > mm->end_data) {
            mm->start_data = start;
            mm->end_data = end;
        }
    }
}

#define AUX_MAX 24

static size_t build_auxv(uint64_t auxv[AUX_MAX][2], const struct binary *bin, const struct elf_image *img, const struct elf_image *interp, vaddr_t vdso)
{
    const struct cred *cred = current_cred();
    size_t n = 0;
    const uint64_t values[][2] = {
        {AT_SYSINFO_EHDR, vdso},
        {AT_MINSIGSTKSZ, arch_min_sigstack()},
        {AT_HWCAP, arch_hwcap()},
        {AT_PAGESZ, PAGE_SIZE},
        {AT_CLKTCK, 100},
        {AT_PHDR, img->phdr_address},
        {AT_PHENT, sizeof(struct elf64_phdr)},
        {AT_PHNUM, img->ehdr.phnum},
        {AT_BASE, interp ? interp->bias + interp->low : 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, img->bias + img->ehdr.entry},
        {AT_UID, cred->uid},
        {AT_EUID, cred->euid},
        {AT_GID, cred->gid},
        {AT_EGID, cred->egid},
        {AT_SECURE, bin->secure},
        {AT_RANDOM, 0},   // these three are filled in when the strings have their places
        {AT_HWCAP2, arch_hwcap2()},
        {AT_EXECFN, 0},
        {AT_PLATFORM, 0},
        {AT_NULL, 0},
    };
    static_assert(ARRAY_SIZE(values) <= AUX_MAX);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        if (values[i][0] == AT_SYSINFO_EHDR && !vdso)
            continue;
        auxv[n][0] = values[i][0];
        auxv[n++][1] = values[i][1];
    }
    return n;
}

// After the point of no return: lay out the new space and fill it.
static int start_program(struct binary *bin, struct elf_image *img, struct elf_image *interp, struct pt_regs *regs)
{
    struct mm *mm = bin->mm;
    bin->layout.exec_stack = wants_exec_stack(img);
    int err = check_segments(img);
    if (!err && interp)
        err = check_segments(interp);
    if (!err)
        err = mm_setup_layout(mm, &bin->layout);
    if (err)
        return err;
    bool pie = img->ehdr.type == ET_DYN;
    if (pie)
        img->bias = program_base(bin, img);
    if ((err = map_image(mm, img, true)))
        return err;
    if (interp && (err = map_image(mm, interp, interp->ehdr.type == ET_EXEC)))
        return err;
    note_code_and_data(mm, img);
    if ((err = mm_setup_brk(mm, ALIGN_UP(img->bss_end, PAGE_SIZE), bin->layout.randomise && sysctl_randomize_va_space > 1)))
        return err;
    vaddr_t vdso = 0;
    if ((err = arch_map_vdso(mm, &vdso)))
        return err;
    uint64_t auxv[AUX_MAX][2];
    size_t nr = build_auxv(auxv, bin, img, interp, vdso);
    // Null pointers read zeros, where the caller may have that: vm.mmap_min_addr refuses it to most.
    if (current_task()->personality & MMAP_PAGE_ZERO)
        (void)mm_mmap(mm, 0, PAGE_SIZE, PROT_READ | PROT_EXEC, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, nullptr, 0);
    vaddr_t sp;
    if ((err = binary_setup_stack(bin, auxv, nr, &sp)))
        return err;
    vaddr_t entry = interp ? interp->bias + interp->ehdr.entry : img->bias + img->ehdr.entry;
    arch_exec_reset(regs, entry, sp);
    return 0;
}

int elf_load(struct binary *bin, struct pt_regs *regs)
{
    struct elf_image img, interp;
    struct file *interp_file = nullptr;
    interp.phdrs = nullptr;
    int err = image_open(&img, bin->file, bin->head, bin->head_size);
    if (!err)
        err = open_interpreter(&img, &interp_file);
    if (!err && interp_file) {
        err = image_open(&interp, interp_file, nullptr, 0);
        if (err == -ENOEXEC)
            err = -ELIBBAD;
    }
    if (!err)
        err = binary_commit(bin);
    if (!err)
        err = start_program(bin, &img, interp_file ? &interp : nullptr, regs);
    if (interp_file)
        exec_close(interp_file);
    kfree(interp.phdrs);
    kfree(img.phdrs);
    return err;
}
