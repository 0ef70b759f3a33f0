// kernel/mm/mm.h — user address spaces: struct mm, its VMAs, and what mmap, fork, exec, exit and the fault handler do with them.
//
// Locks: mm->sem (rwsem) guards the tree and the fields of VMAs: read for faults, write for changes. Page-table
// entries: the leaf table's own lock. Lives: `users` are threads that run in the space (and short visitors: /proc,
// process_vm_readv); the last one empties it. `refs` keep the structure.
#pragma once

#include "arch/include/context.h"
#include "kernel/base/cpumask.h"
#include "kernel/base/rbtree.h"
#include "kernel/mm/page.h"
#include "kernel/base/rbtree.h"
#include "kernel/mm/page_cache.h"
#include "kernel/sync/rwsem.h"

#include "cpu/mm.h" // struct arch_mm: root table, context id, vDSO address, LDT …

struct file;
struct vma;
struct page_cache;
struct seq_file;
struct anon_name;

enum vma_flags { // unsigned long
    VM_READ = 1 << 0,
    VM_WRITE = 1 << 1,
    VM_EXEC = 1 << 2,
    VM_SHARED = 1 << 3,
    VM_MAYREAD = 1 << 4,
    VM_MAYWRITE = 1 << 5,
    VM_MAYEXEC = 1 << 6,
    VM_GROWSDOWN = 1 << 7,
    VM_LOCKED = 1 << 8,
    VM_LOCKONFAULT = 1 << 9,
    VM_PFNMAP = 1 << 10, // device memory: no struct page is counted
    VM_DONTFORK = 1 << 11,
    VM_DONTDUMP = 1 << 12,
    VM_WIPEONFORK = 1 << 13,
    VM_NORESERVE = 1 << 14,
    VM_ACCOUNT = 1 << 15, // counted in the commit charge
    VM_STACK = 1 << 16,   // the initial stack ([stack] in maps)
    VM_HEAP = 1 << 17,
    VM_SPECIAL = 1 << 18, // vdso, vvar
    VM_SEQ_READ = 1 << 19,
    VM_RAND_READ = 1 << 20,
    VM_HUGEPAGE = 1 << 21,
    VM_NOHUGEPAGE = 1 << 22,
    VM_SYNC = 1 << 23,
    VM_DROPPABLE = 1 << 24,
};

struct vm_fault {
    struct vma *vma;
    vaddr_t address; // page aligned
    uint64_t pgoff;
    bool write;
    struct page *page; // out: with a reference
    pfn_t pfn;         // out, VM_PFNMAP
};

// For mappings that are not plain files or anonymous memory. Missing entries mean nothing special happens.
struct vma_ops {
    int (*fault)(struct vm_fault *vmf); // 0, -ENOMEM (OOM), -EFAULT (SIGBUS), -EAGAIN (retry)
    void (*open)(struct vma *vma);      // copied by fork or split
    void (*close)(struct vma *vma);
    const char *(*name)(struct vma *vma); // for /proc/PID/maps
    int (*mremap)(struct vma *vma);
};

struct vma {
    vaddr_t start, end;
    struct vma *prev, *next; // neighbours by address
    unsigned long flags;
    uint64_t prot;  // pte_t bits of its pages, without the write permission (arch/include/mmu.h)
    uint64_t pgoff; // of start, in pages; for private anonymous memory start >> PAGE_SHIFT
    struct mm *mm;
    struct file *file;        // null for anonymous memory; holds a reference
    struct page_cache *cache; // where pages come from; null: private anonymous memory, or ops->fault
    const struct vma_ops *ops;
    void *private;
    struct rb_node node;          // owned by kernel/mm from here on
    vaddr_t subtree_gap;          // the widest free space for mmap before a VMA of this subtree
    struct rb_node interval_node; // in cache->shared_vmas, guarded by its vma_lock
    uint64_t interval_last;       // the greatest last page offset of that subtree
    struct anon_name *anon_name;  // PR_SET_VMA_ANON_NAME; holds a reference
    bool has_anon;                // has private pages: fork must copy them. Set under mm->sem for read, never cleared
};

struct mm {
    struct arch_mm arch;
    struct rwsem sem;
    struct rb_root vmas GUARDED_BY(&sem);
    unsigned nr_vmas GUARDED_BY(&sem);
    struct vma *highest GUARDED_BY(&sem);
    struct vma *last_hit; // a hint, checked before use; cleared when that VMA goes
    refcount_t users;     // threads that run in it
    refcount_t refs;      // users count as one; lazy users and /proc hold others
    struct cpumask cpus;  // CPUs that may hold its translations
    vaddr_t mmap_base;    // top of the mmap area, grows down
    vaddr_t mmap_bottom;  // ADDR_COMPAT_LAYOUT: where it begins and grows up; else 0
    vaddr_t start_code, end_code, start_data, end_data, start_brk, brk, start_stack, arg_start, arg_end, env_start,
        env_end;
    uint64_t total_pages, locked_pages, data_pages, exec_pages, stack_pages; // mapped, in pages: guarded by sem
    int64_t rss_file, rss_anon, rss_shmem;                                   // atomic
    uint64_t hiwater_rss, hiwater_vm; // as of the last time pages went: see mm_hiwater_rss()
    uint64_t table_pages;             // atomic
    uint32_t shared_tables;           // leaf tables shared with other spaces (table_share.h): guarded by sem
    struct file *exe_file;            // guarded by sem; see mm_exe_file()
    uint64_t auxv[48];
    unsigned long def_flags; // mlockall(MCL_FUTURE)
    uint8_t dumpable;        // PR_SET_DUMPABLE
    bool oom_passed_over;    // the OOM killer has waited long enough for it to be given back
    uint32_t membarrier;        // commands the process has registered for (membarrier(2)); atomic
    struct spinlock table_lock; // upper page-table levels
};
// Pages that are present now, and the most that ever were. Counts of several CPUs: a moment's view.
static inline uint64_t mm_rss(const struct mm *mm)
{
    int64_t rss = READ_ONCE(mm->rss_file) + READ_ONCE(mm->rss_anon) + READ_ONCE(mm->rss_shmem);
    return rss > 0 ? (uint64_t)rss : 0;
}
static inline uint64_t mm_hiwater_rss(const struct mm *mm)
{
    uint64_t rss = mm_rss(mm);
    return rss > mm->hiwater_rss ? rss : mm->hiwater_rss;
}

// -- lives ------------------------------------------------------------------------------------------------------------
[[nodiscard]] struct mm *mm_create(void); // empty, users = refs = 1; null: no memory
// fork: copies VMAs and page tables, copy-on-write. The caller's mm. *out has users = 1. -ENOMEM.
[[nodiscard]] int mm_fork(struct mm *parent, struct mm **out);
static inline void mm_get_users(struct mm *mm)
{
    refcount_inc(&mm->users);
}
void mm_put_users(struct mm *mm); // the last one unmaps everything. May sleep.
extern uint32_t mm_emptying; // how many spaces are just being unmapped so, atomic: their memory comes free without anybody's doing
void mm_get(struct mm *mm);                              // the structure only, not what is mapped
void mm_put(struct mm *mm);                              // frees the structure and root table
[[nodiscard]] bool mm_get_users_not_zero(struct mm *mm); // for /proc
struct file *mm_exe_file(struct mm *mm);                 // with a reference, or null

// -- mapping ----------------------------------------------------------------------------------------------------------
// The acting halves of mmap(2) and friends. Addresses and lengths as given by the user, in bytes; they check and round
// as the manual says. They take mm->sem themselves. mmap's prot and flags are the user's PROT_ and MAP_ bits. Returns
// the address or a negative errno.
[[nodiscard]] long mm_mmap(struct mm *mm, vaddr_t addr, size_t len, unsigned prot, unsigned flags, struct file *file,
                           uint64_t offset);
[[nodiscard]] int mm_munmap(struct mm *mm, vaddr_t addr, size_t len);
[[nodiscard]] int mm_mprotect(struct mm *mm, vaddr_t addr, size_t len, unsigned prot);
[[nodiscard]] long mm_mremap(struct mm *mm, vaddr_t old, size_t old_len, size_t new_len, unsigned flags,
                             vaddr_t new_addr);
vaddr_t mm_brk(struct mm *mm, vaddr_t brk); // the resulting break, as brk(2)
// exec: lays out the new space: mmap_base below the stack with ASLR; installs the initial stack VMA; brk region.
struct exec_layout {
    vaddr_t stack_top;     // out
    bool randomise;        // in: not under ADDR_NO_RANDOMIZE
    bool bottom_up;        // in: ADDR_COMPAT_LAYOUT
    uint64_t stack_rlimit; // in: bytes
    bool exec_stack;
};
// -ENOMEM. mm_setup_brk(): the break begins at `start`, the end of the program's data, or a random distance above.
[[nodiscard]] int mm_setup_layout(struct mm *mm, struct exec_layout *layout);
[[nodiscard]] int mm_setup_brk(struct mm *mm, vaddr_t start, bool randomise);
// A mapping whose pages come from ops->fault or from a fixed list: vDSO, vvar, device memory. addr 0: anywhere.
[[nodiscard]] long mm_map_special(struct mm *mm, vaddr_t addr, size_t len, unsigned long vm_flags,
                                  const struct vma_ops *ops, void *private);

// For file->ops->mmap of a file that stands for fresh memory (/dev/zero): the VMA becomes anonymous, private or shared
// as its flags say. -ENOMEM.
[[nodiscard]] int vma_make_anonymous(struct vma *vma);
// prctl(PR_SET_VMA_ANON_NAME): names the anonymous VMAs in the range; null takes the name away. -EINVAL, -ENOMEM,
// -EBADF (file mappings).
[[nodiscard]] int mm_set_anon_name(struct mm *mm, vaddr_t addr, size_t len, const char *name);
// Faults in [start, start + len) as far as mapped; for exec and mlock. 0, -ENOMEM, -EFAULT, -EINTR (being killed).
[[nodiscard]] int mm_populate(struct mm *mm, vaddr_t start, size_t len);

// -- lookups; the caller holds mm->sem --------------------------------------------------------------------------------
struct vma *vma_find(struct mm *mm, vaddr_t addr); // the first with end > addr, or null
struct vma *vma_next(struct vma *vma); // by address, or null
#define for_each_vma(vma, mm) for ((vma) = vma_find((mm), 0); (vma); (vma) = vma_next(vma))

// -- faults -----------------------------------------------------------------------------------------------------------
enum fault_access { FAULT_READ, FAULT_WRITE, FAULT_EXEC };
enum fault_result {
    FAULT_RETRY, // mapped or changed meanwhile: run the instruction again
    FAULT_SEGV_MAPERR,
    FAULT_SEGV_ACCERR,
    FAULT_SIGBUS,
    FAULT_OOM,
    FAULT_SHARED, // inside kernel/mm only: the leaf table is shared (table_share.h)
};
// Resolves a fault at `addr` in the current thread's mm; interrupts on; may sleep. Never called with mm->sem held.
enum fault_result mm_fault(struct mm *mm, vaddr_t addr, enum fault_access access, bool user_mode);

// -- other processes' memory (ptrace, /proc/PID/mem, process_vm_readv) ------------------------------------------------
// Copies between kernel memory and another space; returns bytes done (may be short) or -errno. `force` ignores VMA protection.
[[nodiscard]] ssize_t mm_access(struct mm *mm, vaddr_t addr, void *buf, size_t len, bool write, bool force);
// One user page, pinned, of any address space: -EFAULT. With `write`, copy-on-write is broken first. page_put() ends
// it. May sleep.
[[nodiscard]] int mm_pin_page(struct mm *mm, vaddr_t addr, bool write, struct page **out);
// What a futex at `addr` (in the current space) is keyed by. Private memory: object is the mm, offset the address.
// Shared mappings: object is the page cache, offset the byte in the file, so that all processes that map it agree. The
// object stays alive by the caller's own mapping only: a waiter must hold *ref (an inode's file or the mm) through
// mm_futex_key_put(). -EFAULT.
struct mm_futex_key {
    void *object;
    uint64_t offset;
    struct file *file;   // reference held for a file mapping, or null
    void *shared_memory; // reference held for shared anonymous memory, or null
};
[[nodiscard]] int mm_futex_key(struct mm *mm, vaddr_t addr, bool write, struct mm_futex_key *key);
void mm_futex_key_put(struct mm_futex_key *key);

// A fault in kernel mode on a user address fails at once while this is raised (copies that must not sleep). The current thread's; nests.
void pagefault_disable(void);
void pagefault_enable(void);
bool pagefault_disabled(void);

// /proc/PID/maps and smaps: writes the lines of one VMA.
void vma_show(struct seq_file *m, struct vma *vma, bool smaps);
void mm_show_rollup(struct seq_file *m, struct mm *mm); // smaps_rollup: the sums over all VMAs. May sleep
// /proc/PID/clear_refs: what smaps calls referenced begins at zero again, for memory without a file, with one, or both. -ENOMEM, -EINTR. May sleep.
[[nodiscard]] int mm_forget_references(struct mm *mm, bool anonymous, bool of_files);
