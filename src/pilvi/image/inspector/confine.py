"""Takes everything from a process that it does not need to look at bytes. What the kernel offers here; no tool.

`seclude` is for the parent of the children, once: no network, no files, nobody's rights. `lock_in` is for each child:
limits of time and memory, and system calls for reading, answering and memory only; any other ends it.
"""

import contextlib
import ctypes
import os
import platform
import resource
import tempfile
from typing import Final

CPU_S: Final = 3
MEMORY_BYTES: Final = 256 * 1024 * 1024
NOBODY: Final = 65534
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWNET = 0x00020000, 0x08000000, 0x40000000
PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
SECCOMP_MODE_FILTER: Final = 2
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
KILL, ALLOW = 0x80000000, 0x7FFF0000
NUMBER_AT, MACHINE_AT = 0, 4
"""Where a filter finds the system call's number and the kind of machine."""
CALLS: Final[dict[str, tuple[int, tuple[int, ...]]]] = {
    # read write poll mmap mprotect munmap brk rt_sigaction rt_sigprocmask rt_sigreturn sched_yield mremap madvise
    # sendto recvfrom shutdown exit futex restart_syscall clock_gettime exit_group getrandom close
    "x86_64": (
        0xC000003E,
        (0, 1, 7, 9, 10, 11, 12, 13, 14, 15, 24, 25, 28, 44, 45, 48, 60, 202, 219, 228, 231, 318, 3),
    ),
    "aarch64": (
        0xC00000B7,
        (63, 64, 73, 222, 226, 215, 214, 134, 135, 139, 124, 216, 233, 206, 207, 210, 93, 98, 128, 113, 94, 278, 57),
    ),
}
"""By machine: what the kernel calls it, and the calls that are left."""

_libc = ctypes.CDLL(None, use_errno=True)


class _Step(ctypes.Structure):
    _fields_ = (("code", ctypes.c_uint16), ("yes", ctypes.c_uint8), ("no", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Filter(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint16), ("steps", ctypes.POINTER(_Step)))


def seclude() -> None:
    """As far as the user may: root loses the network, the files and being root; others keep what limits cannot take."""
    if os.geteuid() != 0:
        return
    for space in (CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWNS):
        _libc.unshare(space)  # A container may forbid it; the filter of system calls stands all the same.
    with tempfile.TemporaryDirectory(prefix="pilvi-empty-") as empty, contextlib.suppress(PermissionError):
        os.chroot(empty)
        os.chdir("/")
        os.chroot(".")
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def lock_in() -> None:
    """From here on only what was opened before can be used. Raises OSError when the kernel does not go along."""
    for kind, limit in (
        (resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY_BYTES), (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0), (resource.RLIMIT_NOFILE, 0), (resource.RLIMIT_NPROC, 0),
    ):  # fmt: skip
        resource.setrlimit(kind, (limit, limit))
    _prctl(PR_SET_DUMPABLE, 0)
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    machine = CALLS.get(platform.machine())
    if machine is not None:
        _filter_calls(*machine)


def _filter_calls(machine: int, calls: tuple[int, ...]) -> None:
    steps = [_Step(LOAD, 0, 0, MACHINE_AT), _Step(JUMP_IF_EQUAL, 1, 0, machine), _Step(RETURN, 0, 0, KILL)]
    steps.append(_Step(LOAD, 0, 0, NUMBER_AT))
    steps += [_Step(JUMP_IF_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)]
    steps += [_Step(RETURN, 0, 0, KILL), _Step(RETURN, 0, 0, ALLOW)]
    program = _Filter(len(steps), (_Step * len(steps))(*steps))
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program))


def _prctl(option: int, value: int, more: object = 0) -> None:
    if _libc.prctl(option, value, more, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")
