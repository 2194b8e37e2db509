"""Hypervisors: what a host can run guests with. The configuration names one; only that one is imported."""

from typing import Final

HYPERVISORS: Final = {
    "qemu": "pilvi.compute.drivers.qemu.driver:Qemu",
    "fake": "pilvi.compute.drivers.fake:Fake",
}
