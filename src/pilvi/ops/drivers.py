"""This host's hypervisor and network driver as the configuration names them, for the agent and for `down`."""

from collections.abc import Callable

from pilvi.compute.drivers.protocol import Hypervisor
from pilvi.kernel.config import Config
from pilvi.network.drivers.protocol import NetworkDriver


def hypervisor(config: Config, on_change: Callable[[str], None] | None = None) -> Hypervisor:
    """One per host directory: the real one refuses a second while it is open. `on_change` hears of guests that stop."""
    host = config.paths.host
    if config.compute.hypervisor == "fake":
        from pilvi.compute.drivers.fake import Fake

        return Fake(host / "fake-guests.json")
    from pilvi.compute.drivers.qemu.boot_probe import ProbeGuest
    from pilvi.compute.drivers.qemu.driver import Qemu, QemuConfig

    tiny = config.paths.cache / "tiny"
    probe_guest = ProbeGuest(tiny / "tiny-vmlinuz", tiny / "tiny-initrd")
    return Qemu(QemuConfig(host, virt_type=config.compute.virt_type, probe_guest=probe_guest), on_change)


def network_driver(config: Config) -> NetworkDriver:
    if config.network.driver == "fake":
        from pilvi.network.drivers.fake import FakeDriver

        return FakeDriver()
    from pilvi.network.drivers.linux.driver import LinuxDriver

    return LinuxDriver(tag=config.cloud.tag, host_dir=config.paths.host)
