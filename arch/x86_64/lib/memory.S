// arch/x86_64/lib/memory.S — memcpy, memmove, memset, memcmp. No vector registers here (whole pages: wide.S): words, and the string
// instructions for long blocks. The direction flag is clear everywhere in the kernel (every entry clears it); memmove
// restores it.

#define FUNCTION(name) .globl name; .type name, @function; .balign 16; name:
#define END(name) .size name, . - name

#ifdef KERNEL_ASAN // kernel/debug/asan has the checked ones
#define memcpy raw_memcpy
#define memmove raw_memmove
#define memset raw_memset
#define memcmp raw_memcmp
#endif

    .text

// void *memcpy(void *rdi to, const void *rsi from, size_t rdx size)
FUNCTION(memcpy)
    movq %rdi, %rax
    cmpq $16, %rdx
    jb copy_small
    cmpq $64, %rdx
    ja copy_long
// 16 .. 64 bytes: both ends first, so that loads never depend on stores of an overlapping move.
copy_middle:
    movq (%rsi), %r8
    movq 8(%rsi), %r9
    movq -16(%rsi, %rdx), %r10
    movq -8(%rsi, %rdx), %r11
    cmpq $32, %rdx
    jbe 2f
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    movq 16(%rsi), %rbx
    movq 24(%rsi), %r12
    movq -32(%rsi, %rdx), %r13
    movq -24(%rsi, %rdx), %r14
    movq %rbx, 16(%rdi)
    movq %r12, 24(%rdi)
    movq %r13, -32(%rdi, %rdx)
    movq %r14, -24(%rdi, %rdx)
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
2:  movq %r8, (%rdi)
    movq %r9, 8(%rdi)
    movq %r10, -16(%rdi, %rdx)
    movq %r11, -8(%rdi, %rdx)
    ret
copy_small:
    cmpl $8, %edx
    jae 3f
    cmpl $4, %edx
    jae 4f
    testl %edx, %edx
    jz 6f
    movzbl (%rsi), %r8d
    movzbl -1(%rsi, %rdx), %r9d
    cmpl $3, %edx
    jb 5f
    movzbl 1(%rsi), %r10d
    movb %r10b, 1(%rdi)
5:  movb %r8b, (%rdi)
    movb %r9b, -1(%rdi, %rdx)
6:  ret
4:  movl (%rsi), %r8d
    movl -4(%rsi, %rdx), %r9d
    movl %r8d, (%rdi)
    movl %r9d, -4(%rdi, %rdx)
    ret
3:  movq (%rsi), %r8
    movq -8(%rsi, %rdx), %r9
    movq %r8, (%rdi)
    movq %r9, -8(%rdi, %rdx)
    ret
// The last 8 bytes are loaded before and stored after the block; it may run over them by less than a word.
copy_long:
    movq -8(%rsi, %rdx), %r8
    leaq -8(%rdi, %rdx), %r9
    movq %rdx, %rcx
    shrq $3, %rcx
    rep movsq
    movq %r8, (%r9)
    ret
END(memcpy)

FUNCTION(memmove)
    movq %rdi, %rax
    cmpq $16, %rdx
    jb copy_small
    cmpq $64, %rdx
    jbe copy_middle
    movq %rdi, %rcx
    subq %rsi, %rcx
    cmpq %rdx, %rcx
    jb 1f
    // Destination below the source, or apart: forwards. The tail word is read first, as in memcpy.
    movq -8(%rsi, %rdx), %r8
    leaq -8(%rdi, %rdx), %r9
    movq %rdx, %rcx
    shrq $3, %rcx
    rep movsq
    movq %r8, (%r9)
    ret
    // Destination inside the source's tail: backwards, the first word is read first and stored last.
1:  movq (%rsi), %r8
    movq %rdi, %r9
    leaq -8(%rsi, %rdx), %rsi
    leaq -8(%rdi, %rdx), %rdi
    movq %rdx, %rcx
    shrq $3, %rcx
    std
    rep movsq
    cld
    movq %r8, (%r9)
    ret
END(memmove)

// void *memset(void *rdi to, int esi byte, size_t rdx size)
FUNCTION(memset)
    movq %rdi, %r8
    movzbl %sil, %eax
    movabsq $0x0101010101010101, %rcx
    imulq %rcx, %rax
    cmpq $8, %rdx
    jb 2f
    cmpq $32, %rdx
    ja 1f
    movq %rax, (%rdi)
    movq %rax, -8(%rdi, %rdx)
    cmpq $16, %rdx
    jbe 4f
    movq %rax, 8(%rdi)
    movq %rax, -16(%rdi, %rdx)
    jmp 4f
1:  movq %rax, -8(%rdi, %rdx)
    movq %rdx, %rcx
    shrq $3, %rcx
    rep stosq
    jmp 4f
2:  testl %edx, %edx
    jz 4f
3:  movb %al, -1(%rdi, %rdx)
    decl %edx
    jnz 3b
4:  movq %r8, %rax
    ret
END(memset)

// int memcmp(const void *rdi a, const void *rsi b, size_t rdx size)
FUNCTION(memcmp)
    cmpq $8, %rdx
    jb 2f
1:  movq (%rdi), %rax
    movq (%rsi), %rcx
    cmpq %rcx, %rax
    jne 4f
    addq $8, %rdi
    addq $8, %rsi
    subq $8, %rdx
    cmpq $8, %rdx
    jae 1b
2:  testq %rdx, %rdx
    jz 5f
3:  movzbl (%rdi), %eax
    movzbl (%rsi), %ecx
    subl %ecx, %eax
    jne 6f
    incq %rdi
    incq %rsi
    decq %rdx
    jnz 3b
5:  xorl %eax, %eax
6:  ret
4:  bswapq %rax
    bswapq %rcx
    cmpq %rcx, %rax
    sbbl %eax, %eax
    orl $1, %eax
    ret
END(memcmp)
    .section ".note.GNU-stack", "", @progbits
