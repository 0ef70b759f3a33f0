// kernel/debug/ubsan.c — what the compiler's undefined-behaviour checks of the fortress profile call: each place once, with
// a backtrace. Undefined behaviour is reported and the kernel goes on; what can not go on (unreachable code) panics.
#ifdef KERNEL_UBSAN

#include "kernel/debug/ubsan.h"
#include "kernel/base/panic.h"
#include "kernel/debug/finding.h"

// The compiler's description of a place. It may be written: a column of all ones says that the place has been reported.
struct place {
    const char *file;
    uint32_t line, column;
};

struct type {
    uint16_t kind, info;
    char name[];
};

unsigned ubsan_reports;

static bool say(struct place *place, const char *what)
{
    if (__atomic_exchange_n(&place->column, UINT32_MAX, __ATOMIC_RELAXED) == UINT32_MAX)
        return false;
    __atomic_fetch_add(&ubsan_reports, 1, __ATOMIC_RELAXED);
    pr_finding("UBSAN: %s:%u: %s\n", place->file, place->line, what);
    return true;
}

static void say_with_trace(struct place *place, const char *what)
{
    if (say(place, what))
        finding_end();
}

// Handlers whose description begins with a place, and where no more is to be said. Those with `_abort` are called where the
// compiler was told not to go on.
#define HANDLER(name, text, ...)                                                                                       \
    void __ubsan_handle_##name(struct place *place __VA_OPT__(, ) __VA_ARGS__);                                        \
    void __ubsan_handle_##name(struct place *place __VA_OPT__(, ) __VA_ARGS__)                                         \
    {                                                                                                                  \
        say_with_trace(place, text);                                                                                   \
    }

HANDLER(divrem_overflow, "division by zero or overflow in a division", UNUSED uintptr_t a, UNUSED uintptr_t b)
HANDLER(shift_out_of_bounds, "shift by more bits than there are, or of a negative number", UNUSED uintptr_t a,
        UNUSED uintptr_t b)
HANDLER(vla_bound_not_positive, "array of variable length with a length that is not positive", UNUSED uintptr_t bound)
HANDLER(load_invalid_value, "a bool or enum has an impossible value", UNUSED uintptr_t value)
HANDLER(invalid_builtin, "zero given to a function that counts bits")
HANDLER(nonnull_arg, "null given where it is not allowed")
HANDLER(nonnull_return_v1, "null returned where it is not allowed", UNUSED struct place *place2)
HANDLER(pointer_overflow, "pointer arithmetic wraps around", UNUSED uintptr_t base, UNUSED uintptr_t result)

struct out_of_bounds {
    struct place place;
    const struct type *array, *index;
};

void __ubsan_handle_out_of_bounds(struct out_of_bounds *data, uintptr_t index);
void __ubsan_handle_out_of_bounds(struct out_of_bounds *data, uintptr_t index)
{
    if (!say(&data->place, "array index out of bounds"))
        return;
    pr_finding("  index %ld of %s\n", (long)index, data->array->name);
    finding_end();
}

struct type_mismatch {
    struct place place;
    const struct type *type;
    uint8_t log_alignment, kind;
};

void __ubsan_handle_type_mismatch_v1(struct type_mismatch *data, uintptr_t pointer);
void __ubsan_handle_type_mismatch_v1(struct type_mismatch *data, uintptr_t pointer)
{
    if (!say(&data->place, pointer ? "misaligned pointer" : "null pointer"))
        return;
    pr_finding("  %px to %s, which wants a multiple of %u\n", (void *)pointer, data->type->name, 1u << data->log_alignment);
    finding_end();
}

[[noreturn]] void __ubsan_handle_builtin_unreachable(struct place *place);
[[noreturn]] void __ubsan_handle_missing_return(struct place *place);

void __ubsan_handle_builtin_unreachable(struct place *place)
{
    panic("%s:%u: a place that is never reached was reached", place->file, place->line);
}

void __ubsan_handle_missing_return(struct place *place)
{
    panic("%s:%u: a function ended without a value", place->file, place->line);
}

#endif
