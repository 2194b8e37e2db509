"""Files that are there whole or not at all, with the right owner's rights from their first moment."""

import os
from pathlib import Path


def make_directory(path: Path, mode: int = 0o700) -> bool:
    """Says whether it had to be made."""
    made = not path.is_dir()
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    if path.stat().st_mode & 0o7777 != mode:
        path.chmod(mode)
    return made


def write_file(path: Path, content: bytes | str, mode: int = 0o600) -> bool:
    """Replaces the file unless it has this content already; says whether it did. Survives a power cut."""
    content = content.encode() if isinstance(content, str) else content
    try:
        if path.read_bytes() == content:
            path.chmod(mode)
            return False
    except FileNotFoundError:
        pass
    # The process id keeps two writers apart; the rename makes the last one win whole.
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
    sync_directory(path.parent)
    return True


def sync_directory(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
