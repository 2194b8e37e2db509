"""Network namespaces by name: made, entered by a helper thread, removed. The calling thread never changes its own."""

import ctypes
import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

RUN_DIR = Path("/run/netns")
_CLONE_NEWNET = 0x40000000
_COMMAND_TIMEOUT_S = 30
_libc = ctypes.CDLL(None, use_errno=True)


class NoNamespace(Exception):
    """There is no usable namespace of that name."""


def path_of(name: str) -> Path:
    return RUN_DIR / name


def inside(name: str, action: Callable[[], T]) -> T:
    """Runs an action in a thread of its own that has entered the namespace, and gives back what it gave."""
    outcome: list[T] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            enter(name)
            outcome.append(action())
        except BaseException as error:  # noqa: BLE001  Raised again below, in the caller's thread.
            failure.append(error)

    thread = threading.Thread(target=run, name=f"inside {name}", daemon=True)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return outcome[0]


def enter(name: str) -> None:
    """Moves the calling thread into the namespace, for good: only for threads made for that."""
    if threading.current_thread() is threading.main_thread():
        raise RuntimeError("The main thread never changes its namespace.")
    try:
        descriptor = os.open(path_of(name), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NoNamespace(f"There is no network namespace {name}.") from None
    try:
        if _libc.setns(descriptor, _CLONE_NEWNET) != 0:
            code = ctypes.get_errno()
            raise NoNamespace(f"Cannot enter the network namespace {name}: {os.strerror(code)}.")
    finally:
        os.close(descriptor)


def is_usable(name: str) -> bool:
    """False for a name that is absent or that a crash left behind as a plain file."""
    try:
        inside(name, lambda: None)
    except NoNamespace:
        return False
    return True


def make(name: str) -> None:
    """Makes the namespace unless it is there; what a crash left half made is made anew."""
    if is_usable(name):
        return
    path_of(name).unlink(missing_ok=True)
    _ip("netns", "add", name)


def remove(name: str) -> None:
    """Removes the name. Links in it die with it as soon as no process is inside."""
    if not path_of(name).exists():
        return
    done = subprocess.run(
        ["ip", "netns", "delete", name], capture_output=True, text=True, check=False, timeout=_COMMAND_TIMEOUT_S
    )
    if done.returncode != 0 and path_of(name).exists():
        path_of(name).unlink(missing_ok=True)


def present(prefix: str) -> set[str]:
    try:
        return {name for name in os.listdir(RUN_DIR) if name.startswith(prefix)}  # noqa: PTH208
    except FileNotFoundError:
        return set()


def identity(name: str) -> int:
    """The kernel's number of the namespace: another one means that it was removed and made again."""
    try:
        return path_of(name).stat().st_ino
    except FileNotFoundError:
        raise NoNamespace(f"There is no network namespace {name}.") from None


def write_sysctls(name: str, values: dict[str, str]) -> int:
    """Sets what differs, inside the namespace. Returns how many differed."""

    def write() -> int:
        changed = 0
        for key, wanted in values.items():
            setting = Path("/proc/sys", *key.split("."))
            if key.startswith("net.ipv6.") and not setting.exists():
                continue  # A kernel without IPv6 has nothing to set.
            if setting.read_text().strip() != wanted:
                setting.write_text(wanted)
                changed += 1
        return changed

    return inside(name, write) if values else 0


def _ip(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False, timeout=_COMMAND_TIMEOUT_S)
    if done.returncode != 0:
        raise NoNamespace(f"ip {' '.join(arguments)}: {done.stderr.strip() or 'failed'}")
