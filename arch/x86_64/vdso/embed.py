#!/usr/bin/env python3
# arch/x86_64/vdso/embed.py — turns the linked vDSO into a C file: page-aligned and padded to whole pages, so that the
# pages can be mapped as they are.
import sys

PAGE = 4096


def main():
    with open(sys.argv[1], "rb") as source:
        image = source.read()
    pages = -(-len(image) // PAGE)
    image += bytes(pages * PAGE - len(image))
    lines = [",".join(str(b) for b in image[i : i + 32]) for i in range(0, len(image), 32)]
    with open(sys.argv[2], "w") as out:
        out.write('#include "arch/x86_64/vdso/image.h"\n')
        out.write("const unsigned vdso_image_pages = %d;\n" % pages)
        out.write("const unsigned char vdso_image[] __attribute__((aligned(4096))) = {\n")
        out.write(",\n".join(lines) + "\n};\n")


main()
