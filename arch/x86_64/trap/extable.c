// arch/x86_64/trap/extable.c — instructions that may fault on user memory, and where to go on when they do.
#include "arch/x86_64/trap/trap.h"

struct extable_entry { // each field relative to its own address
    int32_t from, to;
};
extern struct extable_entry __start___ex_table[], __stop___ex_table[];

static uintptr_t from_address(const struct extable_entry *e)
{
    return (uintptr_t)&e->from + (intptr_t)e->from;
}

static uintptr_t to_address(const struct extable_entry *e)
{
    return (uintptr_t)&e->to + (intptr_t)e->to;
}

static void store(struct extable_entry *e, uintptr_t from, uintptr_t to)
{
    e->from = (int32_t)(from - (uintptr_t)&e->from);
    e->to = (int32_t)(to - (uintptr_t)&e->to);
}

// By insertion: each file's entries are in order already, so little moves.
void extable_sort(void)
{
    for (struct extable_entry *e = __start___ex_table + 1; e < __stop___ex_table; e++) {
        uintptr_t from = from_address(e), to = to_address(e);
        struct extable_entry *place = e;
        for (; place > __start___ex_table && from_address(place - 1) > from; place--)
            store(place, from_address(place - 1), to_address(place - 1));
        store(place, from, to);
    }
}

static const struct extable_entry *find(unsigned long ip)
{
    const struct extable_entry *low = __start___ex_table, *high = __stop___ex_table;
    while (low < high) {
        const struct extable_entry *middle = low + (high - low) / 2;
        if (from_address(middle) == ip)
            return middle;
        if (from_address(middle) < ip)
            low = middle + 1;
        else
            high = middle;
    }
    return nullptr;
}

bool extable_covers(unsigned long ip)
{
    return find(ip);
}

bool extable_fixup(struct pt_regs *regs)
{
    const struct extable_entry *e = find(regs->ip);
    if (!e)
        return false;
    regs->ip = to_address(e);
    return true;
}
