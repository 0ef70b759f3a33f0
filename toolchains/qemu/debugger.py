"""bazelw run //:gdb — the machine stopped at its first instruction, gdb attached on this terminal."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

GDB_WAIT_SECONDS = 10


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(argv, qemu, system) -> int:
    """`argv` is QEMU's command line without a serial port: the console goes to a file, so that gdb has the terminal."""
    gdb = shutil.which("gdb")
    if not gdb:
        print("//:gdb needs gdb on this machine: install it (apt install gdb), or run //:qemu with `-- -s -S` and attach another debugger",
              file=sys.stderr)
        return 1
    port = free_port()
    folder = tempfile.mkdtemp(prefix="kevlar-gdb-")
    console = os.path.join(folder, "console.log")
    argv = argv + ["-chardev", f"file,id=console,path={console}", "-serial", "chardev:console", "-S", "-gdb", f"tcp:127.0.0.1:{port}"]
    print(f"gdb: the guest's console is written to {console} (tail -f it in another terminal)", file=sys.stderr)
    guest = subprocess.Popen(argv, env=qemu.environment(), stdin=subprocess.DEVNULL, start_new_session=True)
    command = [gdb, "-q", "-ex", "set architecture i386:x86-64", "-ex", f"set tcp connect-timeout {GDB_WAIT_SECONDS}"]
    if system.get("symbols"):
        command += [os.path.abspath(system["symbols"])]
    command += ["-ex", f"target remote 127.0.0.1:{port}"]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is for gdb, not for us
    try:
        return subprocess.call(command, cwd=os.environ.get("BUILD_WORKSPACE_DIRECTORY"))
    finally:
        guest.kill()
        guest.wait()
