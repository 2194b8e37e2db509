"""`doctor`: finds out by trying whether this machine can carry a cloud, and says what to do where it cannot.

Everything is tried in scratch namespaces and temporary files, which are gone afterwards.
"""

import contextlib
import dataclasses
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pilvi.kernel.config import Config, ConfigError, split_address
from pilvi.ops import certificates, packages, processes

GIB: Final = 1024**3
LEAST_DISK_GIB: Final = 10
LEAST_MEMORY_MIB: Final = 1500


@dataclass(frozen=True, slots=True)
class Finding:
    """`bad` keeps a cloud from working, `weak` makes it slower or smaller."""

    level: Literal["good", "weak", "bad"]
    subject: str
    text: str
    remedy: str = ""


Probe = Callable[[Config], Finding]


def examine(config: Config) -> Iterator[Finding]:
    """One finding after another, as each is known."""
    for probe in PROBES:
        try:
            yield probe(config)
        except Exception as error:  # noqa: BLE001 - a probe that breaks is itself a finding.
            subject = probe.__name__.strip("_").replace("_", " ")
            yield Finding("bad", subject, f"could not be examined: {type(error).__name__}: {error}")


def _root(_config: Config) -> Finding:
    if os.geteuid() == 0:
        return Finding("good", "root", "yes")
    return Finding("bad", "root", "no", "Run as root (sudo): namespaces and guests need it.")


def _packages(config: Config) -> Finding:
    modules: tuple[str, ...] = packages.REAL
    modules += packages.QEMU if config.compute.hypervisor == "qemu" else ()
    modules += packages.LINUX if config.network.driver == "linux" else ()
    names = packages.needed(modules)
    absent = packages.missing(names)
    if absent:
        return Finding(
            "bad", "packages", f"missing: {' '.join(absent)}", f"./pilvi up, or: apt-get install {' '.join(absent)}"
        )
    return Finding("good", "packages", f"all {len(names)} are installed")


def _kvm(config: Config) -> Finding:
    """/dev/kvm may be there and still run nothing: a small guest is started under it."""
    if config.compute.virt_type == "tcg":
        return Finding("weak", "kvm", "not tried: virt_type is tcg", 'Set [compute] virt_type = "auto" to use it.')
    from pilvi.compute.drivers.qemu import boot_probe

    result = boot_probe.run(_program("qemu-system-x86_64"), None)
    if result.works:
        return Finding("good", "kvm", result.reason)
    remedy = "Enable virtualisation in the firmware (or nested virtualisation), then: modprobe kvm_intel or kvm_amd."
    return Finding("weak", "kvm", f"{result.reason}; guests run on TCG, ten to thirty times slower", remedy)


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise ConfigError(f"{name} is not installed; ./pilvi up installs it")
    return found


def _namespaces(_config: Config) -> Finding:
    from pilvi.network.drivers.linux import namespaces

    name = f"pv{secrets.token_hex(4)}-doctor"
    try:
        namespaces.make(name)
        links = namespaces.inside(name, lambda: [name for _index, name in socket.if_nameindex()])
    except (OSError, namespaces.NoNamespace) as error:
        remedy = "The kernel needs CONFIG_NET_NS, and a container needs CAP_SYS_ADMIN and a writable /run/netns."
        return Finding("bad", "namespaces", str(error), remedy)
    finally:
        namespaces.remove(name)
    return Finding("good", "namespaces", f"made and entered one; it had {', '.join(links)}")


def _data_plane(_config: Config) -> Finding:
    """Bridge, tun, nftables and connection tracking of bridged packets, all in one scratch namespace."""
    from pilvi.network.drivers.linux.probe import choose_shim
    from pilvi.network.drivers.linux.spaces import Spaces
    from pilvi.network.drivers.protocol import DriverFault

    with tempfile.TemporaryDirectory(prefix="pilvi-doctor-") as folder:
        try:
            shim, _facts = choose_shim(Spaces(secrets.token_hex(4), Path(folder)))
        except DriverFault as fault:
            return Finding("bad", "security groups", str(fault), _module_hint())
    return Finding("good", "security groups", f"bridge, tap and nftables work; connections are tracked by {shim}")


def _module_hint() -> str:
    loaded = Path("/proc/sys/net/bridge").is_dir()
    return "modprobe nf_conntrack_bridge" + ("" if loaded else " or br_netfilter") + "; apt-get install nftables"


def _tun(_config: Config) -> Finding:
    path = Path("/dev/net/tun")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        remedy = "modprobe tun; in a container, pass the device /dev/net/tun on."
        return Finding("bad", "tun", f"{path}: {error.strerror}", remedy)
    return Finding("good", "tun", f"{path} opens")


def _disk(config: Config) -> Finding:
    folder = next(path for path in (config.cloud.state_dir, *config.cloud.state_dir.parents) if path.exists())
    free_gib = shutil.disk_usage(folder).free / GIB
    if free_gib >= LEAST_DISK_GIB:
        return Finding("good", "disk", f"{free_gib:.0f} GiB are free under {folder}")
    remedy = f"Free some, or give another directory: ./pilvi --state DIR up. {LEAST_DISK_GIB} GiB are a good start."
    return Finding(
        "bad" if free_gib < 2 else "weak", "disk", f"only {free_gib:.1f} GiB are free under {folder}", remedy
    )


def _memory(_config: Config) -> Finding:
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available_mib = int(fields["MemAvailable"].split()[0]) // 1024
    if available_mib >= LEAST_MEMORY_MIB:
        return Finding("good", "memory", f"{available_mib} MiB are available")
    remedy = "The control plane takes 300 MiB, the smallest guest 200 MiB. Stop something or add memory."
    return Finding(
        "bad" if available_mib < 500 else "weak", "memory", f"only {available_mib} MiB are available", remedy
    )


def _ports(config: Config) -> Finding:
    if processes.recorded_pid(config, "front"):
        return Finding("good", "ports", f"{config.front.listen} and {config.front.agents_listen} are this cloud's")
    taken = [address for address in (config.front.listen, config.front.agents_listen) if not _is_free(address)]
    if not taken:
        return Finding("good", "ports", f"{config.front.listen} and {config.front.agents_listen} are free")
    remedy = "See who listens with: ss -ltnp. Or choose another: ./pilvi up --set front.listen=127.0.0.1:PORT."
    return Finding("bad", "ports", f"{', '.join(taken)} cannot be bound", remedy)


def _is_free(listen: str) -> bool:
    address, port = split_address(listen, "listen")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family) as probe, contextlib.suppress(OSError):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((str(address), port))
        return True
    return False


def _certificates(config: Config) -> Finding:
    paths = config.paths
    present = [path for path in (paths.front_certificate, paths.host_certificate(config.host)) if path.exists()]
    if not present:
        return Finding("good", "certificates", "none yet; ./pilvi up makes them")
    soonest = min(map(certificates.expires_at, present))
    return Finding("good", "certificates", f"the first one ends on {soonest:%Y-%m-%d}; renewed daily when due")


PROBES: Final[tuple[Probe, ...]] = (
    _root,
    _packages,
    _kvm,
    _namespaces,
    _tun,
    _data_plane,
    _disk,
    _memory,
    _ports,
    _certificates,
)


def settings(config: Config) -> Iterator[str]:
    """What is in force, and which of it the file says."""
    for part in dataclasses.fields(config):
        table = getattr(config, part.name)
        if not dataclasses.is_dataclass(table):
            yield from (f"{part.name}.{key} = {value!r}  (file)" for key, value in table.items())
            continue
        for key in dataclasses.fields(table):
            value = getattr(table, key.name)
            origin = "default" if value == key.default else "file"
            yield f"{part.name}.{key.name} = {str(value) if isinstance(value, Path) else value!r}  ({origin})"
