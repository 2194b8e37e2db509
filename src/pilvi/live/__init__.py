"""The streaming process: bytes of images, agents' websockets, consoles. Holds no state that matters."""

from typing import Final

APT_PACKAGES: Final = ("novnc",)
