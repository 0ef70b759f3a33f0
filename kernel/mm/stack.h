// kernel/mm/stack.h — kernel stacks: KERNEL_STACK_SIZE bytes between two unmapped guard pages: areas of vmalloc.c, which frees many at once.
#pragma once

// The lowest address, or null without memory. Content is undefined. May sleep.
[[nodiscard]] void *stack_alloc(void);
// Any context: the stack goes to a per-CPU cache, or a worker gives its pages back. Not the stack that is running.
void stack_free(void *stack);
