"""What an inspection finds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """The format of some bytes, the size of the disk they describe, and what is wrong with them as that format."""

    format: str
    """qcow2, vmdk, vhd, vhdx, vdi, iso, gpt, luks, qed, or raw where nothing is recognised."""
    virtual_size: int
    problem: str = ""
    """Why a file of this format is dangerous or broken; empty when it is fine."""


@dataclass(frozen=True, slots=True)
class View:
    """What was kept of the bytes: the beginning, the end, and one window in between."""

    head: bytes
    tail: bytes
    size: int
    window: bytes = b""
    window_at: int = 0

    def at(self, offset: int, length: int) -> bytes:
        """These bytes as far as they were kept; shorter or empty otherwise."""
        if offset < 0 or length <= 0:
            return b""
        if offset < len(self.head):
            return self.head[offset : offset + length]
        if self.window and self.window_at <= offset < self.window_at + len(self.window):
            start = offset - self.window_at
            return self.window[start : start + length]
        start = offset - (self.size - len(self.tail))
        return self.tail[start : start + length] if 0 <= start < len(self.tail) else b""

    def number(self, offset: int, length: int, order: str) -> int:
        """An unsigned integer; zero where there are no bytes."""
        return int.from_bytes(self.at(offset, length), "big" if order == "big" else "little")
