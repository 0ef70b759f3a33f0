"""The contract programs on the kernel that checks itself."""

load("//toolchains/qemu:defs.bzl", "oracle_for", "qemu_test", "system")

def fortress_contract_test(name, minimum, cpus, oracle_cpus, seconds, tags = []):
    """The contract test `name` again, on the fortress kernel: NAME_fortress_smp4 … The same comparison, and the kernel has nothing to say.

    Args:
      name: a contract_test of this package.
      minimum: so many cases at least pass on both kernels.
      cpus: the CPU counts.
      oracle_cpus: with how many CPUs Linux ran it, as in the contract test.
      seconds: the program's time on a quiet machine.
      tags: further tags.
    """
    system(
        name = name + "_fortress_system",
        testonly = True,
        cmdline = "console=ttyS0 quiet loglevel=1 panic=-1 rdinit=/guest/init",
        initramfs = ":{}_initramfs".format(name),
        kernel = "//kernel:kevlar_fortress",
    )
    for smp in cpus:
        qemu_test(
            name = "{}_fortress_smp{}".format(name, smp),
            append = "guest_cpus={}".format(smp),
            known_failures = "//testdata/contract:known_failures.txt",
            minimum = minimum,
            oracle = ":{}_linux_smp{}".format(name, oracle_for(smp, oracle_cpus)),
            script = "//tests/guest:contract_fortress.console",
            smp = smp,
            system = ":{}_fortress_system".format(name),
            tags = tags + ["contract", "fortress", "kevlar"],
            variables = {"seconds": str(seconds)},
        )
