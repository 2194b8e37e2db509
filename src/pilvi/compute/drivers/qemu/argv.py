"""The command line of a guest: a pure function of its spec, so that a golden test shows every change of it.

The PCI plan is fixed: a device keeps its address whatever else the guest has, and a plan is never changed, only
followed by a new one. Paths are relative to the guest's directory, which is the process's working directory; nothing
outside it can be opened by the guest's user.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from pilvi.compute.drivers.protocol import DriverFault, GuestSpec, Nic

PCI_PLAN: Final = 1
ROOT_PORTS: Final = 28
ROOT_DISK_PORT, CONFIG_DRIVE_PORT, EPHEMERAL_PORT, SWAP_PORT = 0, 1, 2, 3
FIRST_NIC_PORT, MOST_NICS = 4, 8
FIRST_VOLUME_PORT, MOST_VOLUMES = 12, 16

IMAGE, DISK, EPHEMERAL, SWAP, CONFIG_DRIVE = "image", "disk.qcow2", "ephemeral.raw", "swap.raw", "config.iso"
QMP_SOCKET, EVENTS_SOCKET, VNC_SOCKET = "run/qmp.sock", "run/events.sock", "run/vnc.sock"
ROOT_NODE = "root"
CONSOLE_RING, CONSOLE_RING_BYTES = "ser0", 256 * 1024

# Enough for distributions that are compiled for x86-64-v2, and the same on every machine.
TCG_CPU: Final = "qemu64,+lahf_lm,+popcnt,+sse4.1,+sse4.2,+ssse3"
DISK_DEVICES: Final = {"virtio": "virtio-blk-pci", "scsi": "scsi-hd", "sata": "ide-hd"}
NIC_DEVICES: Final = {"virtio": "virtio-net-pci", "e1000": "e1000", "e1000e": "e1000e"}
SCREENS: Final = {
    "vga": "VGA,id=screen,bus=pcie.0,addr=0x1,vgamem_mb=8",
    "virtio": "virtio-vga,id=screen,bus=pcie.0,addr=0x1",
    "none": "",
}
SANDBOX: Final = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


@dataclass(frozen=True, slots=True)
class Machine:
    """What the host decides, as against the spec."""

    binary: str
    type: str  # versioned, so that a newer QEMU gives the guest the same hardware
    acceleration: Literal["kvm", "tcg"]
    cpu: str = ""


def build(spec: GuestSpec, machine: Machine, taps: Sequence[int]) -> list[str]:
    if len(spec.nics) > MOST_NICS:
        raise DriverFault(
            f"The server has {len(spec.nics)} network interfaces; this host can give it {MOST_NICS}.", retry=False
        )
    assert len(taps) == len(spec.nics), "one tap for each network interface"
    return [
        machine.binary,
        *_identity(spec),
        *_processor(spec, machine),
        *_monitors(),
        *_root_ports(),
        *_screen(spec),
        *_disks(spec),
        *[word for index, nic in enumerate(spec.nics) for word in _nic(spec, index, nic, taps[index])],
    ]


def _identity(spec: GuestSpec) -> list[str]:
    smbios = (
        "type=1,manufacturer=OpenStack Foundation,product=OpenStack Nova,version=1,"
        f"serial={spec.id},uuid={spec.id},family=Virtual Machine"
    )
    # -S: the process is recorded before the guest's first instruction. Shutdown pauses, so that a guest that switched
    # itself off can be told from a process that died, even if nobody was looking.
    return [
        *("-name", f"guest={spec.id},debug-threads=on", "-uuid", spec.id),
        *("-S", "-nodefaults", "-no-user-config", "-display", "none"),
        *("-msg", "timestamp=on", "-sandbox", SANDBOX, "-action", "shutdown=pause,panic=pause"),
        *("-smbios", smbios, "-boot", "strict=on", "-rtc", "base=utc"),
    ]


def _processor(spec: GuestSpec, machine: Machine) -> list[str]:
    if machine.acceleration == "kvm":
        accel, cpu = "kvm", machine.cpu or "host"
    else:
        # Without a limit QEMU lets the translation cache grow to a gibibyte.
        accel = f"tcg,thread=multi,tb-size={32 if spec.memory_mib <= 512 else 64}"
        cpu = machine.cpu or TCG_CPU
    return [
        *("-accel", accel),
        *("-machine", f"{machine.type},usb=off,dump-guest-core=off,hpet=off"),
        *("-global", "ICH9-LPC.disable_s3=1", "-global", "ICH9-LPC.disable_s4=1"),
        *("-cpu", cpu, "-m", f"size={spec.memory_mib}M"),
        *("-smp", f"cpus={spec.vcpus},sockets={spec.vcpus},cores=1,threads=1"),
    ]


def _monitors() -> list[str]:
    words = []
    for name, path in (("qmp", QMP_SOCKET), ("events", EVENTS_SOCKET)):
        words += [
            "-chardev",
            f"socket,id={name},path={path},server=on,wait=off",
            "-mon",
            f"chardev={name},mode=control",
        ]
    return [
        *words,
        *("-chardev", f"ringbuf,id={CONSOLE_RING},size={CONSOLE_RING_BYTES}"),
        *("-device", f"isa-serial,chardev={CONSOLE_RING},index=0"),
        *("-device", "virtio-rng-pci,id=rng0,bus=pcie.0,addr=0x2"),
        *("-device", "virtio-balloon-pci,id=balloon0,bus=pcie.0,addr=0x3,free-page-reporting=on"),
    ]


def _root_ports() -> list[str]:
    """Eight functions to a slot, from slot 4 on. Every disk and NIC has its own port, so each can be unplugged."""
    words = []
    for port in range(ROOT_PORTS):
        slot, function = divmod(port, 8)
        where = f"bus=pcie.0,addr={4 + slot:#x}.{function}" + (",multifunction=on" if function == 0 else "")
        words += ["-device", f"pcie-root-port,id=rp{port},chassis={port + 1},slot={port + 1},{where}"]
    return words


def _screen(spec: GuestSpec) -> list[str]:
    device = SCREENS[_choice(spec, "hw_video_model", SCREENS, "vga")]
    return ["-vnc", f"unix:{VNC_SOCKET},share=force-shared", "-device", device] if device else ["-vga", "none"]


def _disks(spec: GuestSpec) -> list[str]:
    bus = _choice(spec, "hw_disk_bus", DISK_DEVICES, "virtio")
    words = ["-device", f"virtio-scsi-pci,id=scsi0,bus=rp{ROOT_DISK_PORT}"] if bus == "scsi" else []
    words += _root_disk(spec, bus)
    if spec.config_drive is not None:
        words += _blockdev("config-drive", {"driver": "raw", "read-only": True, "file": _file(CONFIG_DRIVE, True)})
        words += _virtio_disk("config-drive", CONFIG_DRIVE_PORT)
    for name, size, port, file in (
        ("ephemeral0", spec.ephemeral_gib, EPHEMERAL_PORT, EPHEMERAL),
        ("swap0", spec.swap_mib, SWAP_PORT, SWAP),
    ):
        if size > 0:
            words += _blockdev(name, {"driver": "raw", "discard": "unmap", "file": _file(file, False)})
            words += _virtio_disk(name, port)
    return words


def root_chain(spec: GuestSpec) -> dict[str, Any]:
    """The root disk with the image under it, as block devices. Each file and format is named: no header is believed."""
    image: dict[str, Any] = {"driver": image_driver(spec), "read-only": True, "file": _file(IMAGE, True)}
    if image["driver"] == "qcow2":
        image["backing"] = None  # whatever the image's header says
    is_cdrom = spec.image.disk_format == "iso"
    return {
        "driver": "qcow2",
        "discard": "unmap",
        "file": _file(DISK, False),
        "backing": None if is_cdrom else image,
    }


def _root_disk(spec: GuestSpec, bus: str) -> list[str]:
    where = {"virtio": f"bus=rp{ROOT_DISK_PORT}", "scsi": "bus=scsi0.0,lun=0", "sata": "bus=ide.0"}[bus]
    words = [
        *_blockdev(ROOT_NODE, root_chain(spec)),
        *("-device", f"{DISK_DEVICES[bus]},id=root,drive={ROOT_NODE},{where},bootindex=1"),
    ]
    if spec.image.disk_format == "iso":
        image = {"driver": image_driver(spec), "read-only": True, "file": _file(IMAGE, True)}
        words += _blockdev("cdrom", image)
        words += ["-device", "ide-cd,id=cdrom,drive=cdrom,bus=ide.1,bootindex=2"]
    return words


def image_driver(spec: GuestSpec) -> str:
    """The one block driver with which the image is opened; formats are never guessed."""
    match spec.image.disk_format:
        case "qcow2":
            return "qcow2"
        case "raw" | "ami" | "iso":
            return "raw"
        case other:
            raise DriverFault(f"This host cannot boot images of the format {other}: use qcow2 or raw.", retry=False)


def _file(name: str, read_only: bool) -> dict[str, Any]:
    file: dict[str, Any] = {"driver": "file", "filename": name}
    return {**file, "read-only": True} if read_only else {**file, "discard": "unmap"}


def _blockdev(node: str, options: Mapping[str, Any]) -> list[str]:
    return ["-blockdev", json.dumps({"node-name": node, **options}, separators=(",", ":"))]


def _virtio_disk(node: str, port: int) -> list[str]:
    return ["-device", f"virtio-blk-pci,id={node},drive={node},bus=rp{port}"]


def _nic(spec: GuestSpec, index: int, nic: Nic, tap: int) -> list[str]:
    model = _choice(spec, "hw_vif_model", NIC_DEVICES, "virtio")
    device = (
        f"{NIC_DEVICES[model]},id=nic{index},netdev=tap{index},mac={nic.mac},bus=rp{FIRST_NIC_PORT + index},romfile="
    )
    if model == "virtio":
        device += f",host_mtu={nic.mtu}"
    return ["-netdev", f"tap,id=tap{index},fd={tap}", "-device", device]


def _choice(spec: GuestSpec, name: str, known: Mapping[str, str], default: str) -> str:
    wanted = spec.image_properties.get(name) or default
    if wanted not in known:
        offered = ", ".join(sorted(known))
        raise DriverFault(f"The image asks for {name}={wanted}; this host offers {offered}.", retry=False)
    return wanted
