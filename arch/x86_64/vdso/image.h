// arch/x86_64/vdso/image.h — the vDSO as bytes in the kernel: made by embed.py from the shared object that user/ is linked to.
#pragma once

extern const unsigned vdso_image_pages;
extern const unsigned char vdso_image[]; // page aligned, whole pages
