"""Small files of each image format, made byte by byte."""

import struct
from uuid import UUID

CLUSTER_BITS = 16


def qcow2(
    *, version: int = 3, virtual_size: int = 2**20, backing: bytes = b"", features: int = 0, crypt: int = 0,
    cluster_bits: int = CLUSTER_BITS, extension: tuple[int, bytes] | None = None,
) -> bytes:  # fmt: skip
    at = 512 if backing else 0
    first = (b"QFI\xfb", version, at, len(backing), cluster_bits, virtual_size, crypt)
    head = struct.pack(">4sIQIIQIIQQIIQ", *first, 1, 65536, 65536, 1, 0, 0)
    if version == 3:
        head += struct.pack(">QQQII", features, 0, 0, 4, 104)
    if extension is not None:
        head += struct.pack(">II", extension[0], len(extension[1])) + extension[1]
    body = bytearray(head.ljust(4096, b"\0"))
    body[512 : 512 + len(backing)] = backing
    return bytes(body)


DESCRIPTOR = """# Disk DescriptorFile
version=1
CID=11223344
parentCID=ffffffff
createType="{kind}"

# Extent description
{extents}

# The Disk Data Base
ddb.adapterType = "ide"
"""


def vmdk(
    *, kind: str = "monolithicSparse", extents: str = 'RW 2048 SPARSE "disk.vmdk"', sectors: int = 2048,
    descriptor_at: int = 1, footer: bool = False, text: str | None = None,
) -> bytes:  # fmt: skip
    grain_directory = 0xFFFFFFFFFFFFFFFF if footer else 21
    head = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, sectors, 128, descriptor_at, 20, 512, 0, grain_directory, 128)
    descriptor = (text if text is not None else DESCRIPTOR.format(kind=kind, extents=extents)).encode()
    file = head.ljust(512 * max(descriptor_at, 1), b"\0") + descriptor.ljust(20 * 512, b"\0") + bytes(64 * 1024)
    if footer:
        last = struct.pack("<4sIIQQQQIQQQ", b"KDMV", 1, 3, sectors, 128, descriptor_at, 20, 512, 0, 21, 128)
        file += bytes(512) + last.ljust(512, b"\0") + bytes(512)
    return file


def vhd(*, kind: int = 3, size: int = 2**20, at_the_end_only: bool = False) -> bytes:
    footer = bytearray(512)
    footer[:8] = b"conectix"
    footer[48:56] = size.to_bytes(8, "big")
    footer[60:64] = kind.to_bytes(4, "big")
    return bytes(8192) + bytes(footer) if at_the_end_only else bytes(footer) + bytes(8192) + bytes(footer)


def vhdx(*, size: int = 2**20, parent: bool = False, metadata_at: int = 2 * 2**20) -> bytes:
    file = bytearray(metadata_at + 2**20)
    file[:8] = b"vhdxfile"
    region = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
    file[196608:196624] = b"regi" + bytes(4) + (1).to_bytes(4, "little") + bytes(4)
    file[196624:196656] = region + metadata_at.to_bytes(8, "little") + (2**20).to_bytes(4, "little") + bytes(4)
    file[metadata_at : metadata_at + 32] = b"metadata" + bytes(2) + (2).to_bytes(2, "little") + bytes(20)
    items = (
        (UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b"), 65536, struct.pack("<II", 2**20, 2 if parent else 0)),
        (UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8"), 65544, size.to_bytes(8, "little")),
    )
    for number, (guid, offset, value) in enumerate(items):
        at = metadata_at + 32 + 32 * number
        file[at : at + 24] = guid.bytes_le + offset.to_bytes(4, "little") + len(value).to_bytes(4, "little")
        file[metadata_at + offset : metadata_at + offset + len(value)] = value
    return bytes(file)


def vdi(*, kind: int = 1, size: int = 2**20) -> bytes:
    file = bytearray(4096)
    file[64:68] = (0xBEDA107F).to_bytes(4, "little")
    file[76:80] = kind.to_bytes(4, "little")
    file[0x170:0x178] = size.to_bytes(8, "little")
    return bytes(file)


def iso() -> bytes:
    return bytes(32768) + b"\x01CD001\x01" + bytes(4096)


def disk() -> bytes:
    """With an old partition table."""
    sector = bytearray(512)
    sector[446:462] = bytes([0x80, 0, 0, 0, 0x83]) + bytes(11)
    sector[510:] = b"\x55\xaa"
    return bytes(sector) + bytes(8192)
