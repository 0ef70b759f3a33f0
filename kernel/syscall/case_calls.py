# kernel/syscall/case_calls.py — which system calls a contract case makes, as far as its text and that of its file tell.
#
# A case makes a call if it, or a function, macro or table of the same file or of a header beside it that it names, directly or by others, names the call:
# as the C library does (fstatat), by its number's name (SYS_newfstatat), or by the number. What the harness does for every case does not count.

import os
import re

# What the C library calls them, where that is not the call's own name. A `*` stands for any ending.
NAMES = {
    "access": ["euidaccess"],
    "close": ["close_fd"],
    "clone": ["pthread_create", "thread_t", "storm", "fork_or_fail", "IN_CHILD", "fork"],
    "execve": ["execv", "execl*", "execvp", "exec_helper", "fexecve"],
    "execveat": ["fexecve"],
    "exit": ["pthread_exit", "pthread_create", "after_ms"],
    "exit_group": ["_exit", "exit", "IN_CHILD"],
    "faccessat2": ["faccessat"],
    "fadvise64": ["posix_fadvise"],
    "fork": ["IN_CHILD"],
    "futex": ["pthread_*", "sem_*"],
    "getcpu": ["sched_getcpu"],
    "getdents": ["readdir"],
    "getdents64": ["readdir", "getdents", "nftw", "opendir", "scandir"],
    "gettid": ["own_tid"],
    "ioctl": ["loopback_up"],
    "kill": ["kill_self", "kill_child", "raise_to_process"],
    "mount": ["own_mount_namespace"],
    "nanosleep": ["sleep_ms", "usleep"],
    "newfstatat": ["fstatat", "stat", "lstat"],
    "open": ["make_file", "opendir"],
    "openat": ["open"],
    "pipe2": ["pipe"],
    "poll": ["poll_now"],
    "pread64": ["pread"],
    "prlimit64": ["prlimit", "setrlimit", "getrlimit"],
    "pselect6": ["pselect", "select"],
    "pwrite64": ["pwrite"],
    "recvfrom": ["recv"],
    "rt_sigaction": ["sigaction", "signal", "count_signal"],
    "rt_sigpending": ["sigpending"],
    "rt_sigprocmask": ["sigprocmask", "pthread_sigmask"],
    "rt_sigqueueinfo": ["sigqueue"],
    "rt_sigreturn": ["sigaction", "signal", "count_signal"],
    "rt_sigsuspend": ["sigsuspend"],
    "rt_sigtimedwait": ["sigtimedwait", "sigwaitinfo", "sigwait"],
    "rt_tgsigqueueinfo": ["pthread_sigqueue"],
    "sched_getaffinity": ["pthread_getaffinity_np"],
    "restart_syscall": ["SIGCONT"],  # the kernel makes it after a stop
    "sendto": ["send"],
    "signalfd4": ["signalfd"],
    "eventfd2": ["eventfd"],
    "sysinfo": ["sysconf"],
    "tgkill": ["raise", "kill_thread", "pthread_kill"],
    "unshare": ["own_mount_namespace"],
    "umount2": ["umount"],
    "uname": ["gethostname"],
    "vfork": ["posix_spawn*"],
    "wait4": ["waitpid", "wait", "EXPECT_EXITED", "EXPECT_KILLED"],
}

WORD = re.compile(r"[A-Za-z_]\w*")
CALLED = re.compile(r"\bsyscall\((\w+)")
CONSTANT = re.compile(r"\b([A-Z]\w+) = (\d+)\b")
INCLUDE = re.compile(r'^#include "(?:\w+/)*(\w+\.h)"', re.M)
HARNESS = "harness.h"
CASE = re.compile(r"^(?:CASE\(|CASE_WITHIN\(\d+, )(\w+)\)")


def without_texts(source):
    """The source without comments and the insides of strings, which name calls too; but the name of a HELPER, which a case execs, stays."""
    for helper in re.findall(r"^HELPER\((\w+)\)", source, re.M):
        source = source.replace(f'"{helper}"', helper)
    return re.sub(r'//[^\n]*|"(?:[^"\\\n]|\\.)*"', "", source)


def definitions(source):
    """Name to text, of the cases, functions, tables and macros of a file; the names of the cases."""
    texts, cases, lines, at = {}, [], source.split("\n"), 0
    while at < len(lines):
        line, first = lines[at], at
        at += 1
        case, macro = CASE.match(line), re.match(r"#define (\w+)", line)
        if macro:
            while lines[at - 1].endswith("\\"):
                at += 1
            name = macro[1]
        elif case or (re.match(r"[A-Za-z_\[]", line) and not re.match(r"(#|enum\b.*;$|struct \w+;|typedef)", line)):
            while at < len(lines) and not re.match(r"\S.*;$|}", lines[at - 1]):  # a prototype or a variable ends in its line
                at += 1
            if re.match(r"} \w+.*= {$", lines[at - 1]):  # a table of a type without a name
                while at < len(lines) and lines[at - 1] != "};":
                    at += 1
            head = re.match(r"[^={]*", re.sub(r"{(?:(?!\n}).)*\n} (?=\w+\[)", "", "\n".join(lines[first:at]), flags=re.S))[0]
            called = re.findall(r"(\w+)(?=\()", head) if "(" in head else re.findall(r"(\w+)(?:\[[^\]]*\])*\s*$", head)
            if not called:
                continue
            name = case[1] if case else called[0]
            if called[0] in ("HELPER", "gnu"):
                name = re.findall(r"\((\w+)\)", head)[0] if called[0] == "HELPER" else called[-1]
        else:
            continue
        texts[name] = texts.get(name, "") + "\n".join(lines[first:at])
        if case:
            cases.append(name)
    return texts, cases


def reached(name, texts):
    """The text of a definition and of everything of the file that it names."""
    seen, todo, out = {name}, [name], []
    while todo:
        text = texts[todo.pop()]
        out.append(text)
        for word in set(WORD.findall(text)) - seen:
            if word in texts:
                seen.add(word)
                todo.append(word)
    return "\n".join(out)


class Case:
    def __init__(self, path, text, constants):
        self.path, self.words = path, set(WORD.findall(text))
        self.numbers = {int(constants.get(n, n if n.isdigit() else -1)) for n in CALLED.findall(text)}

    def makes(self, call):
        if call.nr in self.numbers or self.words & {call.name, "SYS_" + call.name, "__NR_" + call.name}:
            return True
        for known in NAMES.get(call.name, []):
            if known in self.words or known.endswith("*") and any(w.startswith(known[:-1]) for w in self.words):
                return True
        return False


def with_headers(folder, name):
    """The text of a file after those of the folder's headers that it includes, but the harness's."""
    with open(os.path.join(folder, name), encoding="utf-8") as source:
        text = source.read()
    for header in INCLUDE.findall(text):
        if header != HARNESS and os.path.exists(os.path.join(folder, header)):
            text = with_headers(folder, header) + text
    return text


def read_cases(folder):
    """Every contract case of a folder, by name."""
    cases = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".c"):
            plain = without_texts(with_headers(folder, name))
            texts, names = definitions(plain)
            constants = dict(CONSTANT.findall(plain))
            cases.update({case: Case(name, reached(case, texts), constants) for case in names})
    return cases
