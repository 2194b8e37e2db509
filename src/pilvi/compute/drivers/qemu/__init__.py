"""The qemu driver: one QEMU process per guest, in its own session under its own user, managed over QMP.

Nothing of a guest is kept in this process's memory: everything is asked of QEMU or read from the guest's directory, so
that an agent that starts finds its guests as it left them.
"""

from typing import Final

APT_PACKAGES: Final[tuple[str, ...]] = ("genisoimage", "qemu-system-x86", "qemu-utils", "seabios")
