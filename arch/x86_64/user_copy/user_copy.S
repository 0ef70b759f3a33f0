// arch/x86_64/user_copy/user_copy.S — copies to and from user memory.
//
// All use one body. Small sizes are a few loads and stores that overlap in the middle, larger ones REP MOVSQ. Much is
// cleared through a vector register where that is better (cpu/wide.h). A fault anywhere ends in the exception table, which goes on byte
// by byte from the last place known to be done, so that the count returned is exact. Only faults on user addresses get
// there (trap/page_fault.c), so it does no harm that kernel-side accesses are listed too.
#include "cpu/wide.h"
#include "cpu/smap.h"

#define USER_END 0x00007ffffffff000

// EX insn: the instruction may fault; goes on at `to`.
.macro EX to, insn:vararg
662:
    \insn
    EX_TABLE 662b, \to
.endm

// Leaves with rax = rdx (nothing copied) unless [addr, addr + rdx) is user memory.
.macro CHECK_RANGE addr
    movabsq $USER_END, %rax
    subq %rdx, %rax
    jb refuse
    cmpq %rax, \addr
    ja refuse
.endm

#ifdef KERNEL_ASAN // kernel/debug/asan checks the kernel's side first
#define copy_to_user raw_copy_to_user
#define copy_from_user raw_copy_from_user
#endif

    .text
// size_t copy_to_user(void __user *to, const void *from, size_t size)
    .balign 64
    .globl copy_to_user
copy_to_user:
    CHECK_RANGE %rdi
    jmp copy

// size_t copy_from_user(void *to, const void __user *from, size_t size)
    .balign 64
    .globl copy_from_user
copy_from_user:
    CHECK_RANGE %rsi
copy:
    STAC
    cmpq $16, %rdx
    jae 2f
    cmpl $8, %edx
    jae 1f
    cmpl $4, %edx
    jae 3f
    testl %edx, %edx
    jz done
    // 1 .. 3 bytes: first, middle and last, which may be the same
    movl %edx, %r8d
    shrl $1, %r8d
    EX bytes, movzbl (%rsi), %eax
    EX bytes, movzbl (%rsi, %r8), %ecx
    EX bytes, movzbl -1(%rsi, %rdx), %r9d
    EX bytes, movb %al, (%rdi)
    EX bytes, movb %cl, (%rdi, %r8)
    EX bytes, movb %r9b, -1(%rdi, %rdx)
    jmp done
3:  EX bytes, movl (%rsi), %eax
    EX bytes, movl -4(%rsi, %rdx), %ecx
    EX bytes, movl %eax, (%rdi)
    EX bytes, movl %ecx, -4(%rdi, %rdx)
    jmp done
1:  EX bytes, movq (%rsi), %rax
    EX bytes, movq -8(%rsi, %rdx), %rcx
    EX bytes, movq %rax, (%rdi)
    EX bytes, movq %rcx, -8(%rdi, %rdx)
    jmp done
2:  cmpq $64, %rdx
    ja long_copy
    cmpl $32, %edx
    jbe 5f
    EX bytes, movq (%rsi), %rax
    EX bytes, movq 8(%rsi), %rcx
    EX bytes, movq 16(%rsi), %r8
    EX bytes, movq 24(%rsi), %r9
    EX bytes, movq %rax, (%rdi)
    EX bytes, movq %rcx, 8(%rdi)
    EX bytes, movq %r8, 16(%rdi)
    EX bytes, movq %r9, 24(%rdi)
    EX bytes, movq -32(%rsi, %rdx), %rax
    EX bytes, movq -24(%rsi, %rdx), %rcx
    EX bytes, movq %rax, -32(%rdi, %rdx)
    EX bytes, movq %rcx, -24(%rdi, %rdx)
    jmp 6f
5:  EX bytes, movq (%rsi), %rax
    EX bytes, movq 8(%rsi), %rcx
    EX bytes, movq %rax, (%rdi)
    EX bytes, movq %rcx, 8(%rdi)
6:  EX bytes, movq -16(%rsi, %rdx), %rax
    EX bytes, movq -8(%rsi, %rdx), %rcx
    EX bytes, movq %rax, -16(%rdi, %rdx)
    EX bytes, movq %rcx, -8(%rdi, %rdx)
done:
    CLAC
    xorl %eax, %eax
    retq

long_copy:
    movl %edx, %r8d
    movq %rdx, %rcx
    andl $7, %r8d
    shrq $3, %rcx
    movq %r8, %rdx
    EX words_left, rep movsq
    testl %edx, %edx
    jz done
    cmpl $4, %edx
    jae 7f
bytes:                                    // from rsi to rdi, rdx bytes to go, none of them done
    testq %rdx, %rdx
    jz done
8:  EX stop, movb (%rsi), %al
    EX stop, movb %al, (%rdi)
    incq %rsi
    incq %rdi
    decq %rdx
    jnz 8b
    jmp done
7:  EX bytes, movl (%rsi), %eax           // 4 .. 7 bytes behind whole words
    EX bytes, movl -4(%rsi, %rdx), %ecx
    EX bytes, movl %eax, (%rdi)
    EX bytes, movl %ecx, -4(%rdi, %rdx)
    jmp done
words_left:
    leaq (%rdx, %rcx, 8), %rdx
    jmp bytes
stop:
    CLAC
    movq %rdx, %rax
    retq
refuse:
    movq %rdx, %rax
    retq

// size_t clear_user(void __user *to, size_t size)
    .balign 64
    .globl clear_user
clear_user:
    movq %rsi, %rdx
    CHECK_RANGE %rdi
    STAC
    xorl %eax, %eax
    cmpq $WIDE_MIN, %rdx
    jae wide_clear
clear_words:
    movq %rdx, %rcx
    shrq $3, %rcx
    andl $7, %edx
    EX clear_words_left, rep stosq
clear_bytes:
    movq %rdx, %rcx
    EX clear_stop, rep stosb
    jmp done
clear_words_left:
    leaq (%rdx, %rcx, 8), %rdx
    jmp clear_bytes
clear_stop:
    CLAC
    movq %rcx, %rax
    retq

// In steps of a page at most. Inside, preemption is off and a fault is not resolved: so both ends are touched before,
// which brings in all the pages there are. Should one be gone again, words do the rest.
wide_clear:
    cmpb $0, arch_wide_clears(%rip)
    je clear_words
1:  movl $4096, %ecx
    cmpq %rcx, %rdx
    cmovbq %rdx, %rcx
    andl $-WIDE_STEP, %ecx
    EX clear_bytes, movq %rax, (%rdi)
    EX clear_bytes, movq %rax, -8(%rdi, %rcx)
    WIDE_BEGIN
    vpxor %ymm0, %ymm0, %ymm0
    subq %rcx, %rdx
2:
.set at, 0
.rept WIDE_STEP / 32
    EX 3f, vmovdqu %ymm0, at(%rdi)
    .set at, at + 32
.endr
    addq $WIDE_STEP, %rdi
    subq $WIDE_STEP, %rcx
    jnz 2b
3:  WIDE_END
    addq %rcx, %rdx
    cmpb $0, %gs:need_resched(%rip)
    jne wide_clear_resched
4:  testq %rcx, %rcx
    jnz clear_words
    cmpq $WIDE_MIN, %rdx
    jae 1b
    testq %rdx, %rdx
    jnz clear_words
    jmp done
wide_clear_resched:
    CLAC
    pushq %rdi
    pushq %rdx
    pushq %rcx
    call wide_preempt
    popq %rcx
    popq %rdx
    popq %rdi
    xorl %eax, %eax
    STAC
    jmp 4b

// ssize_t user_string_copy(char *to, const char __user *from, size_t size): the caller has checked the range. The
// number of bytes before the NUL, size where there is no NUL within size bytes, or -14 (-EFAULT). Eight bytes at a time
// where they lie in one page: a fault then is a fault of the first of them.
    .balign 64
    .globl user_string_copy
user_string_copy:
    STAC
    movq %rdx, %r8                        // bytes left
    movabsq $0x0101010101010101, %r9
    movabsq $0x8080808080808080, %r10
    movq %rdx, %r11                       // asked for
1:  cmpq $8, %r8
    jb 3f
    movl %esi, %ecx
    andl $4095, %ecx
    cmpl $4088, %ecx
    ja 3f
    EX string_fault, movq (%rsi), %rax
    movq %rax, %rcx
    movq %rax, %rdx
    notq %rcx
    subq %r9, %rdx
    andq %r10, %rcx
    andq %rcx, %rdx                       // 0x80 in the first byte that was zero, and perhaps in later ones
    jnz 2f
    movq %rax, (%rdi)
    addq $8, %rsi
    addq $8, %rdi
    subq $8, %r8
    jmp 1b
2:  bsfq %rdx, %rcx
    movq %rdx, %r9
    negq %r9
    andq %r9, %rdx                        // the lowest 0x80 alone
    shrq $7, %rdx
    decq %rdx
    andq %rdx, %rax                       // zeroes from the NUL on: there is room for the whole word
    shrl $3, %ecx                         // bytes before the NUL
    movq %r11, %rdx
    subq %r8, %rdx
    addq %rcx, %rdx                       // length in all
    movq %rax, (%rdi)
    CLAC
    movq %rdx, %rax
    retq
3:  testq %r8, %r8
    jz 5f
    EX string_fault, movb (%rsi), %al
    movb %al, (%rdi)
    testb %al, %al
    jz 5f
    incq %rsi
    incq %rdi
    decq %r8
    jmp 1b
5:  CLAC
    movq %r11, %rax
    subq %r8, %rax
    retq
string_fault:
    CLAC
    movq $-14, %rax
    retq

// size_t user_string_length(const char __user *s, size_t max): bytes before the NUL, max where there is none, -14 on a
// fault. Range checked.
    .balign 16
    .globl user_string_length
user_string_length:
    STAC
    xorl %eax, %eax
1:  cmpq %rsi, %rax
    jae 2f
    EX string_fault, cmpb $0, (%rdi, %rax)
    je 2f
    incq %rax
    jmp 1b
2:  CLAC
    retq
    .section .note.GNU-stack, "", @progbits
