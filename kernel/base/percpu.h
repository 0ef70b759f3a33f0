// kernel/base/percpu.h — variables of which every CPU has its own.
//
// DEFINE_PER_CPU(type, name) makes one; it is zeroed or copied from its initial value for each CPU at boot. this_cpu() is an
// lvalue of the running CPU's copy: only steady while preemption is off. The this_cpu_*() operations are one instruction each
// and so are safe against preemption and interrupts, but not against other CPUs.
#pragma once

#include "arch/include/cpu.h"

#define DEFINE_PER_CPU(type, name) SECTION(".data..percpu") typeof(type) name
#define DECLARE_PER_CPU(type, name) extern SECTION(".data..percpu") typeof(type) name

// Distance from the linked copy to CPU n's copy. CPU 0 uses the linked one; percpu_create() makes the others', before they start.
extern uintptr_t percpu_offset[MAX_CPUS];

#define per_cpu_ptr(ptr, cpu) ((typeof(ptr))((uintptr_t)(ptr) + percpu_offset[cpu]))
#define per_cpu(name, cpu) (*per_cpu_ptr(&(name), cpu))
#define this_cpu_ptr(ptr) ((typeof(ptr))((uintptr_t)(ptr) + arch_percpu_base()))
#define this_cpu(name) (*this_cpu_ptr(&(name)))

// Single-instruction forms, defined by the CPU: arch_this_cpu_read(name), arch_this_cpu_write(name, v), arch_this_cpu_add(name, v).
#define this_cpu_read(name) arch_this_cpu_read(name)
#define this_cpu_write(name, value) arch_this_cpu_write(name, value)
#define this_cpu_add(name, value) arch_this_cpu_add(name, value)
#define this_cpu_inc(name) arch_this_cpu_add(name, 1)
#define this_cpu_dec(name) arch_this_cpu_add(name, -1)

// The running CPU's number: 0 .. MAX_CPUS-1. Only steady while preemption is off.
DECLARE_PER_CPU(unsigned, cpu_number);
#define this_cpu_id() this_cpu_read(cpu_number)
