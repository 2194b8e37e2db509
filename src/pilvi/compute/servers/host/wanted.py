"""A server as the desired state of its host describes it."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pilvi.compute.drivers.image_cache import Image
from pilvi.compute.drivers.protocol import GuestSpec, ImageFile, Nic, RebootKind

WantedPower = Literal["on", "off", "paused", "absent"]
_POWERS = ("on", "off", "paused", "absent")


@dataclass(frozen=True, slots=True)
class Reboot:
    generation: int = 0
    kind: RebootKind = "soft"


@dataclass(frozen=True, slots=True)
class Wanted:
    id: str
    generation: int
    power: WantedPower
    name: str = ""
    reboot: Reboot = Reboot()
    snapshot: str = ""  # the id of the image to make of the root disk
    vcpus: int = 1
    memory_mib: int = 128
    root_gib: int = 0
    ephemeral_gib: int = 0
    swap_mib: int = 0
    image: Image | None = None
    image_properties: Mapping[str, str] = field(default_factory=dict)
    extra_specs: Mapping[str, str] = field(default_factory=dict)
    nics: tuple[Nic, ...] = ()
    config_drive: Mapping[str, bytes] | None = None
    request_id: str = ""

    def spec(self, image: ImageFile) -> GuestSpec:
        return GuestSpec(
            id=self.id,
            name=self.name,
            generation=self.generation,
            vcpus=self.vcpus,
            memory_mib=self.memory_mib,
            root_gib=self.root_gib,
            image=image,
            ephemeral_gib=self.ephemeral_gib,
            swap_mib=self.swap_mib,
            nics=self.nics,
            image_properties=self.image_properties,
            extra_specs=self.extra_specs,
            config_drive=self.config_drive,
            reboot_generation=self.reboot.generation,
        )


def parse(document: Mapping[str, Any]) -> Wanted:
    """Raises ValueError, KeyError or TypeError on a document that the control plane cannot have meant."""
    power = document["power"]
    if power not in _POWERS:
        raise ValueError(f"power is {power!r}; known are {', '.join(_POWERS)}")
    if power == "absent":  # the rest may be gone already
        return Wanted(str(document["id"]), int(document["generation"]), "absent", request_id=_request_id(document))
    return Wanted(
        id=str(document["id"]),
        generation=int(document["generation"]),
        power=cast("WantedPower", power),
        name=str(document.get("name") or ""),
        reboot=_reboot(document.get("reboot") or {}),
        snapshot=str(document.get("snapshot") or ""),
        vcpus=int(document["vcpus"]),
        memory_mib=int(document["memory_mib"]),
        root_gib=int(document["root_gib"]),
        ephemeral_gib=int(document.get("ephemeral_gib") or 0),
        swap_mib=int(document.get("swap_mib") or 0),
        image=_image(document["image"]),
        image_properties=_texts(document.get("image_properties") or {}),
        extra_specs=_texts(document.get("extra_specs") or {}),
        nics=tuple(_nic(nic) for nic in document.get("nics") or ()),
        config_drive=files(document.get("metadata") or {}) if document.get("config_drive") else None,
        request_id=_request_id(document),
    )


def files(metadata: Mapping[str, Any]) -> dict[str, bytes]:
    """Path -> content; contents travel as base64, because user data may be anything."""
    try:
        return {
            str(name): base64.b64decode(text, validate=True) for name, text in (metadata.get("files") or {}).items()
        }
    except binascii.Error as error:
        raise ValueError(f"a metadata file is not base64: {error}") from error


def _request_id(document: Mapping[str, Any]) -> str:
    return str(document.get("request_id") or "")


def _reboot(document: Mapping[str, Any]) -> Reboot:
    return Reboot(int(document.get("generation") or 0), "hard" if document.get("kind") == "hard" else "soft")


def _image(document: Mapping[str, Any]) -> Image:
    return Image(
        id=str(document["id"]),
        sha512=str(document["sha512"]),
        disk_format=str(document["disk_format"]),
        size_bytes=int(document["size_bytes"]),
        virtual_size_bytes=int(document["virtual_size_bytes"]),
    )


def _nic(document: Mapping[str, Any]) -> Nic:
    return Nic(str(document["port_id"]), str(document["mac"]).lower(), int(document.get("mtu") or 1500))


def _texts(document: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(value) for name, value in document.items()}
