"""Tap devices: made persistent in the data plane, opened there for the hypervisor that runs outside of it."""

import fcntl
import os
import struct

_TUNSETIFF = 0x400454CA
_TUNSETPERSIST = 0x400454CB
_TUNSETOWNER = 0x400454CC
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR, _IFF_TUN_EXCL = 0x2, 0x1000, 0x4000, 0x8000
_DEVICE = "/dev/net/tun"


def make(name: str, owner_uid: int) -> None:
    """Called in the namespace that the tap shall be in. A tap that is there is left alone."""
    descriptor = _attach(name, 0)
    try:
        fcntl.ioctl(descriptor, _TUNSETOWNER, owner_uid)
        fcntl.ioctl(descriptor, _TUNSETPERSIST, 1)
    finally:
        os.close(descriptor)


def open_existing(name: str) -> int:
    """A descriptor of the tap, with the header that lets guests leave checksums and segmentation to the host."""
    return _attach(name, 0)


def _attach(name: str, flags: int) -> int:
    descriptor = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        request = struct.pack("16sH22x", name.encode(), _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR | flags)
        fcntl.ioctl(descriptor, _TUNSETIFF, request)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
