"""The namespaces of metadata definitions that a cloud starts with: what properties mean here, in our own words.

The names of namespaces and properties are the ones that clients know. Where Pilvi does not act on a property, its
description says so, because the same image may go to another cloud.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

IMAGE, FLAVOR, VOLUME = "OS::Glance::Image", "OS::Nova::Flavor", "OS::Cinder::Volume"
HONOURED, KEPT = "Pilvi does this.", "Pilvi keeps this for other clouds and does nothing with it."


@dataclass(frozen=True, slots=True)
class StandardNamespace:
    namespace: str
    display_name: str
    description: str
    resource_types: tuple[str, ...]
    properties: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    tags: tuple[str, ...] = ()


def _text(title: str, description: str, *, one_of: Sequence[str] = (), default: str = "") -> dict[str, Any]:
    shown: dict[str, Any] = {"title": title, "description": description, "type": "string"}
    return shown | ({"enum": list(one_of)} if one_of else {}) | ({"default": default} if default else {})


def _count(title: str, description: str, *, least: int = 0) -> dict[str, Any]:
    return {"title": title, "description": description, "type": "integer", "minimum": least}


def _switch(title: str, description: str) -> dict[str, Any]:
    return {"title": title, "description": description, "type": "boolean"}


STANDARD: Final = (
    StandardNamespace(
        "OS::Compute::LibvirtImage", "Devices of a guest",
        "Which devices a server gets when it boots from the image.", (IMAGE,),
        {
            "hw_disk_bus": _text("Disk bus", f"How the root disk is attached. {HONOURED}",
                                 one_of=("virtio", "scsi", "sata"), default="virtio"),
            "hw_vif_model": _text("Network card", f"Which card a guest sees. {HONOURED}",
                                  one_of=("virtio", "e1000", "e1000e"), default="virtio"),
            "hw_video_model": _text("Screen", f"Which graphics card a guest has; none leaves it out. {HONOURED}",
                                    one_of=("vga", "virtio", "none"), default="vga"),
            "hw_rng_model": _text("Random numbers", "A guest always has a virtio device for random numbers.",
                                  one_of=("virtio",), default="virtio"),
            "hw_machine_type": _text("Machine type", f"Which machine is emulated. {KEPT}"),
            "hw_cdrom_bus": _text("CD drive bus", f"How a CD drive is attached. {KEPT}",
                                  one_of=("ide", "sata", "scsi", "virtio")),
            "hw_scsi_model": _text("SCSI controller", f"Which controller stands before SCSI disks. {KEPT}",
                                   one_of=("virtio-scsi", "lsilogic")),
            "hw_input_bus": _text("Pointer", f"How a tablet for the screen is attached. {KEPT}",
                                  one_of=("usb", "virtio")),
            "hw_vif_multiqueue_enabled": _switch("Several queues", f"A queue per processor in network cards. {KEPT}"),
            "hw_qemu_guest_agent": _switch("Guest agent", f"The guest runs QEMU's agent. {KEPT}"),
            "hw_boot_menu": _switch("Boot menu", f"The firmware shows a menu at the start. {KEPT}"),
        },
    ),
    StandardNamespace(
        "OS::Glance::CommonImageProperties", "What is in an image",
        "Facts about the system in an image, for people and for schedulers.", (IMAGE,),
        {
            "architecture": _text("Architecture", "Processor that the system needs, such as x86_64 or aarch64.",
                                  one_of=("x86_64", "aarch64", "i686", "ppc64le", "riscv64", "s390x", "armv7l")),
            "os_distro": _text("Distribution", "Short name in small letters, such as debian, fedora or windows."),
            "os_version": _text("Version", "The distribution's own version, such as 13 or 24.04."),
            "os_type": _text("Kind of system", "Family of the operating system.", one_of=("linux", "windows", "other")),
            "os_admin_user": _text("Administrator", "Login name of the administrator in the system."),
            "kernel_id": _text("Kernel", "Image of the kernel, where it stands beside the disk."),
            "ramdisk_id": _text("RAM disk", "Image of the first RAM disk, where it stands beside the disk."),
            "instance_uuid": _text("Server", "The server that the image was taken of."),
            "description": _text("Description", "What the image is for, in a few words."),
        },
    ),
    StandardNamespace(
        "OS::Glance::Signatures", "Signature",
        "Who vouches for the bytes. With all four properties the cloud refuses bytes that do not agree.", (IMAGE,),
        {
            "img_signature": _text("Signature", f"Signature of the bytes, in base64. {HONOURED}"),
            "img_signature_hash_method": _text("Hash", f"What was signed. {HONOURED}",
                                               one_of=("SHA-224", "SHA-256", "SHA-384", "SHA-512")),
            "img_signature_key_type": _text("Kind of key", f"By which the signature was made. {HONOURED}",
                                            one_of=("RSA-PSS", "DSA", "ECC_SECP384R1", "ECC_SECP521R1")),
            "img_signature_certificate_uuid": _text(
                "Certificate", f"Id of the credential of type cert that holds the signer's certificate. {HONOURED}"),
        },
    ),
    StandardNamespace(
        "OS::Compute::ResourceClaims", "What a server takes of a host",
        "Amounts that replace the flavor's own numbers, and traits that a host must or must not have.", (FLAVOR,),
        {
            "resources:VCPU": _count("Processors", f"Claimed instead of the flavor's number. {HONOURED}"),
            "resources:MEMORY_MB": _count("Memory, MiB", f"Claimed instead of the flavor's number. {HONOURED}"),
            "resources:DISK_GB": _count("Disk, GiB", f"Claimed instead of the flavor's number. {HONOURED}"),
            "resources:VGPU": _count("Virtual graphics cards", f"Claimed of hosts that have them. {HONOURED}"),
            "trait:HW_CPU_X86_AVX2": _text("AVX2", f"Whether the host must have it. {HONOURED}",
                                           one_of=("required", "forbidden")),
            "trait:HW_CPU_X86_AESNI": _text("AES", f"Whether the host must have it. {HONOURED}",
                                            one_of=("required", "forbidden")),
            "trait:STORAGE_DISK_SSD": _text("Solid state disks", f"Whether the host must have them. {HONOURED}",
                                            one_of=("required", "forbidden")),
        },
    ),
    StandardNamespace(
        "OS::Compute::VirtCPUTopology", "Processors of a guest",
        "How many sockets, cores and threads a guest sees.", (IMAGE,),
        {
            "hw_cpu_sockets": _count("Sockets", f"Wanted number of sockets. {KEPT}", least=1),
            "hw_cpu_cores": _count("Cores", f"Wanted number of cores in a socket. {KEPT}", least=1),
            "hw_cpu_threads": _count("Threads", f"Wanted number of threads in a core. {KEPT}", least=1),
            "hw_cpu_max_sockets": _count("Most sockets", f"No more sockets than these. {KEPT}", least=1),
            "hw_cpu_max_cores": _count("Most cores", f"No more cores in a socket than these. {KEPT}", least=1),
            "hw_cpu_max_threads": _count("Most threads", f"No more threads in a core than these. {KEPT}", least=1),
        },
    ),
    StandardNamespace(
        "OS::Compute::CPUPinning", "Processors of its own",
        "Whether a guest shares the host's processors with others.", (IMAGE, FLAVOR),
        {
            "hw_cpu_policy": _text("Sharing", f"Dedicated processors are the guest's alone. {KEPT}",
                                   one_of=("shared", "dedicated", "mixed")),
            "hw_cpu_thread_policy": _text("Threads", f"Whether two processors may be threads of one core. {KEPT}",
                                          one_of=("prefer", "isolate", "require")),
        },
    ),
    StandardNamespace(
        "OS::Compute::GuestMemoryBacking", "Memory of a guest",
        "Of which pages a guest's memory is made.", (IMAGE, FLAVOR),
        {
            "hw_mem_page_size": _text("Page size", f"small, large, any, or a size such as 2MB. {KEPT}"),
            "hw_mem_encryption": _switch("Encrypted", f"The host encrypts the guest's memory. {KEPT}"),
        },
    ),
    StandardNamespace(
        "OS::Compute::Firmware", "Firmware of a guest",
        "What starts the guest before its own system does.", (IMAGE,),
        {
            "hw_firmware_type": _text("Firmware", f"The older BIOS or UEFI. {KEPT}", one_of=("bios", "uefi")),
            "os_secure_boot": _text("Secure boot", f"Whether the firmware starts signed systems only. {KEPT}",
                                    one_of=("required", "optional", "disabled")),
            "hw_tpm_model": _text("TPM", f"Which trusted platform module a guest has. {KEPT}",
                                  one_of=("tpm-tis", "tpm-crb")),
            "hw_tpm_version": _text("TPM version", f"Which version of it. {KEPT}", one_of=("1.2", "2.0")),
        },
    ),
    StandardNamespace(
        "OS::Compute::Watchdog", "Watchdog",
        "What happens when a guest no longer answers its watchdog.", (IMAGE, FLAVOR),
        {
            "hw_watchdog_action": _text("Action", f"What the host does with the guest. {KEPT}",
                                        one_of=("disabled", "reset", "poweroff", "pause", "none")),
        },
    ),
    StandardNamespace(
        "OS::Software::Purpose", "Purpose", "Words by which people find images and volumes.", (IMAGE, VOLUME),
        tags=("base", "build", "container-host", "database", "desktop", "golden", "load-balancer", "network-appliance",
              "rescue", "test", "web-server"),
    ),
)  # fmt: skip
