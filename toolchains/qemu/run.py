#!/usr/bin/env python3
"""bazelw run //:qemu — the machine on your terminal. Ctrl-A x leaves, Ctrl-A h helps.

    ./bazelw run //:qemu -- [--kernel=kevlar|linux] [--boot=uefi|kernel] [--smp=N] [--memory=MiB] [--append="…"] [--icount[=SEED]] [-- QEMU OPTIONS]
"""

import argparse
import json
import os
import shutil
import sys

import debugger
import machine as machines


def parse(argv, config):
    if "--" in argv:
        split = argv.index("--")
        argv, extra = argv[:split], argv[split + 1:]
    else:
        extra = []
    parser = argparse.ArgumentParser(prog="//:qemu", description="Boots the built system in QEMU, serial console on the terminal. Ctrl-A x leaves.",
                                     epilog="What follows a second -- is given to QEMU as it is.")
    parser.add_argument("--kernel", choices=sorted(config["systems"]), default=config["default"])
    parser.add_argument("--boot", choices=["uefi", "kernel"], default="uefi", help="the disk image by OVMF, or QEMU's own Linux loader")
    parser.add_argument("--smp", type=int, default=1, metavar="N", help="CPUs")
    parser.add_argument("--memory", type=int, default=1024, metavar="MiB")
    parser.add_argument("--append", default="", metavar="TEXT", help="added to the kernel's command line")
    parser.add_argument("--icount", type=int, nargs="?", const=1, metavar="SEED",
                        help="count guest instructions: a nanosecond of the guest's is one of them, and two runs with one seed are the same")
    parser.add_argument("--disk", metavar="FILE", help="a copy of the disk image that keeps its changes (made if missing)")
    parser.add_argument("--gdb", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv), extra


def own_path(path):
    """A path typed by the user: relative to where `bazelw run` was typed."""
    return os.path.join(os.environ.get("BUILD_WORKING_DIRECTORY", os.getcwd()), path)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    args, extra = parse(sys.argv[2:], config)
    qemu = machines.Qemu(**config["qemu"])
    system = config["systems"][args.kernel]
    machine = machines.Machine(boot=args.boot, smp=args.smp, memory_mib=args.memory, reboot=True, icount=args.icount, extra=extra)
    if args.boot == "kernel":
        machine.kernel, machine.initramfs = system["kernel"], system["initramfs"]
        machine.cmdline = " ".join(filter(None, [system["cmdline"], args.append]))
    else:
        machine.disk, machine.cmdline = system["disk"], args.append
    if args.disk:
        machine.disk = own_path(args.disk)
        machine.write_disk = True
        if not os.path.exists(machine.disk):
            shutil.copyfile(system["disk"], machine.disk)
            os.chmod(machine.disk, 0o644)
    accel = machines.accelerator(qemu) if args.icount is None else "counted instructions"
    argv = qemu.command() + machines.options(qemu, machine, accel)
    if args.gdb:
        return debugger.run(argv, qemu, system)
    # Ctrl-C goes to the guest; Ctrl-A x ends QEMU.
    argv += ["-chardev", "stdio,id=console,mux=on,signal=off", "-serial", "chardev:console", "-mon", "chardev=console,mode=readline"]
    print(f"qemu: {args.kernel} by {args.boot}, {args.smp} CPU, {args.memory} MiB, {accel}; Ctrl-A x leaves", file=sys.stderr, flush=True)
    os.execve(argv[0], argv, qemu.environment())


if __name__ == "__main__":
    sys.exit(main())
