// tools/kimage/elf.c — reads the two ELF files the boot file is made of.
#include "tools/kimage/kimage.h"

#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

void die(const char *path, const char *why)
{
    fprintf(stderr, "kimage: %s: %s\n", path, why);
    exit(1);
}

struct buffer read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        die(path, "cannot be opened");
    struct buffer b = {0};
    size_t room = 0;
    for (;;) {
        if (b.size == room) {
            room = room ? room * 2 : 1 << 20;
            b.data = realloc(b.data, room);
            if (!b.data)
                die(path, "out of memory");
        }
        size_t n = fread(b.data + b.size, 1, room - b.size, f);
        if (n == 0)
            break;
        b.size += n;
    }
    if (ferror(f))
        die(path, "cannot be read");
    fclose(f);
    return b;
}

static const void *part(const struct elf *elf, uint64_t offset, uint64_t size)
{
    if (offset > elf->file.size || size > elf->file.size - offset)
        die(elf->path, "damaged: a table lies outside the file");
    return elf->file.data + offset;
}

static void read_dynamic(struct elf *elf, const Elf64_Phdr *ph)
{
    const Elf64_Dyn *dyn = part(elf, ph->p_offset, ph->p_filesz);
    for (size_t i = 0; i < ph->p_filesz / sizeof *dyn && dyn[i].d_tag != DT_NULL; i++) {
        switch (dyn[i].d_tag) {
        case DT_RELR:
            elf->relr = dyn[i].d_un.d_ptr - elf->base;
            break;
        case DT_RELRSZ:
            elf->relr_size = dyn[i].d_un.d_val;
            break;
        case DT_RELA:
            elf->rela = dyn[i].d_un.d_ptr - elf->base;
            break;
        case DT_RELASZ:
            elf->rela_size = dyn[i].d_un.d_val;
            break;
        case DT_JMPREL:
        case DT_NEEDED:
        case DT_TEXTREL:
            die(elf->path, "needs libraries, or has relocations in its code");
        }
    }
}

// All that the loader can do is to add the slide.
static void check_relocations(const struct elf *elf)
{
    if (elf->rela > elf->flat.size || elf->rela_size > elf->flat.size - elf->rela)
        die(elf->path, "damaged: relocations lie outside the segments");
    const Elf64_Rela *rela = (const Elf64_Rela *)(elf->flat.data + elf->rela);
    for (size_t i = 0; i < elf->rela_size / sizeof *rela; i++)
        if (ELF64_R_TYPE(rela[i].r_info) != R_X86_64_RELATIVE)
            die(elf->path, "has a relocation against a symbol; is something undefined?");
}

struct elf elf_read(const char *path)
{
    struct elf elf = {.path = path, .file = read_file(path)};
    const Elf64_Ehdr *eh = part(&elf, 0, sizeof *eh);
    if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0 || eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_X86_64)
        die(path, "not an x86-64 ELF file");
    const Elf64_Phdr *ph = part(&elf, eh->e_phoff, (uint64_t)eh->e_phnum * sizeof *ph);
    uint64_t low = UINT64_MAX, file_end = 0, mem_end = 0;
    for (unsigned i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD || ph[i].p_memsz == 0)
            continue;
        if (ph[i].p_vaddr < low)
            low = ph[i].p_vaddr;
        if (ph[i].p_filesz && ph[i].p_vaddr + ph[i].p_filesz > file_end)
            file_end = ph[i].p_vaddr + ph[i].p_filesz;
        if (ph[i].p_vaddr + ph[i].p_memsz > mem_end)
            mem_end = ph[i].p_vaddr + ph[i].p_memsz;
    }
    if (low == UINT64_MAX || file_end - low > 1u << 30)
        die(path, "has no loadable segments, or they are far apart");
    elf.base = low;
    elf.entry = eh->e_entry;
    elf.mem_size = mem_end - low;
    elf.flat = (struct buffer){.data = calloc(1, file_end - low), .size = file_end - low};
    if (!elf.flat.data)
        die(path, "out of memory");
    for (unsigned i = 0; i < eh->e_phnum; i++) {
        if (ph[i].p_type == PT_DYNAMIC)
            read_dynamic(&elf, &ph[i]);
        if (ph[i].p_type != PT_LOAD || ph[i].p_memsz == 0)
            continue;
        memcpy(elf.flat.data + (ph[i].p_vaddr - low), part(&elf, ph[i].p_offset, ph[i].p_filesz), ph[i].p_filesz);
        if (elf.nr_segments == sizeof elf.segments / sizeof elf.segments[0])
            die(path, "has too many segments");
        elf.segments[elf.nr_segments].start = ph[i].p_vaddr - low;
        elf.segments[elf.nr_segments].end = ph[i].p_vaddr - low + ph[i].p_memsz;
        elf.segments[elf.nr_segments++].flags = ph[i].p_flags;
    }
    check_relocations(&elf);
    return elf;
}

void elf_each_symbol(const struct elf *elf, void (*fn)(void *, const char *, uint64_t, unsigned, uint64_t), void *ctx)
{
    const Elf64_Ehdr *eh = part(elf, 0, sizeof *eh);
    const Elf64_Shdr *sh = part(elf, eh->e_shoff, (uint64_t)eh->e_shnum * sizeof *sh);
    for (unsigned i = 0; i < eh->e_shnum; i++) {
        if (sh[i].sh_type != SHT_SYMTAB || sh[i].sh_link >= eh->e_shnum)
            continue;
        const Elf64_Sym *sym = part(elf, sh[i].sh_offset, sh[i].sh_size);
        const Elf64_Shdr *strings = &sh[sh[i].sh_link];
        const char *names = part(elf, strings->sh_offset, strings->sh_size);
        for (size_t s = 0; s < sh[i].sh_size / sizeof *sym; s++)
            if (sym[s].st_shndx != SHN_UNDEF && sym[s].st_name < strings->sh_size)
                fn(ctx, names + sym[s].st_name, sym[s].st_value, ELF64_ST_TYPE(sym[s].st_info), sym[s].st_size);
    }
}

struct search {
    const char *name;
    uint64_t value;
    int found;
};

static void match(void *ctx, const char *name, uint64_t value, unsigned type, uint64_t size)
{
    (void)type, (void)size;
    struct search *s = ctx;
    if (strcmp(name, s->name) == 0) {
        s->value = value;
        s->found = 1;
    }
}

uint64_t elf_symbol(const struct elf *elf, const char *name)
{
    struct search s = {.name = name};
    elf_each_symbol(elf, match, &s);
    if (!s.found) {
        fprintf(stderr, "kimage: %s: no symbol %s\n", elf->path, name);
        exit(1);
    }
    return s.value;
}
