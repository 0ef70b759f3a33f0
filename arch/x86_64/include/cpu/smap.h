// arch/x86_64/include/cpu/smap.h — opening and closing user memory to the kernel (SMAP): STAC and CLAC where the CPU has them.
//
// Each site is a three-byte no-op listed in __smap_sites; features_patch_kernel() writes the instruction there at boot
// on a CPU with SMAP.
#pragma once

#ifdef __ASSEMBLER__
.macro SMAP_SITE last_byte
661:
    .byte 0x0f, 0x1f, 0x00
    .pushsection __smap_sites, "a"
    .long 661b - .
    .long \last_byte
    .popsection
.endm
#define STAC SMAP_SITE 0xcb
#define CLAC SMAP_SITE 0xca

// Where a fault at `from` continues: arch/x86_64/trap/extable.c.
.macro EX_TABLE from, to
    .pushsection __ex_table, "a"
    .long \from - .
    .long \to - .
    .popsection
.endm
#else
#define SMAP_SITE_(last_byte)                                                                                          \
    "661: .byte 0x0f, 0x1f, 0x00\n"                                                                                    \
    ".pushsection __smap_sites, \"a\"\n"                                                                               \
    ".long 661b - .\n"                                                                                                 \
    ".long " last_byte "\n"                                                                                            \
    ".popsection\n"
#define STAC SMAP_SITE_("0xcb")
#define CLAC SMAP_SITE_("0xca")
#define EX_TABLE(from, to)                                                                                             \
    ".pushsection __ex_table, \"a\"\n"                                                                                 \
    ".long " from " - .\n"                                                                                             \
    ".long " to " - .\n"                                                                                               \
    ".popsection\n"
#endif
