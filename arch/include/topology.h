// arch/include/topology.h — which CPUs are threads of one core, cores of one die, dies of one package.
#pragma once

#include "kernel/base/cpumask.h"

enum topology_level { TOPOLOGY_CORE, TOPOLOGY_DIE, TOPOLOGY_PACKAGE };

// The numbers are the hardware's: there may be gaps. A core's counts within its package, a die's throughout the machine.
struct cpu_topology {
    unsigned core, die, package;
};

// Of a CPU that is online or has been. Any context.
struct cpu_topology arch_cpu_topology(unsigned cpu);
// The CPUs online that share its core, die or package, itself among them.
struct cpumask arch_cpu_siblings(unsigned cpu, enum topology_level level);
