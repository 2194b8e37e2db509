"""What a new cloud offers: flavors, an external network, an image. Made over the API, each only when missing."""

import ipaddress
from pathlib import Path
from typing import Any, Final, NamedTuple

from pilvi.client import Client
from pilvi.kernel.config import Config
from pilvi.ops.progress import Outcome, Say

EXTERNAL_NETWORK: Final = "public"
TINY_IMAGE: Final = "tiny"


class Flavor(NamedTuple):
    id: str
    name: str
    vcpus: int
    memory_mib: int
    disk_gib: int


FLAVORS: Final = (
    Flavor("1", "m1.nano", 1, 192, 1),
    Flavor("2", "m1.micro", 1, 256, 1),
    Flavor("3", "m1.tiny", 1, 512, 1),
    Flavor("4", "m1.small", 1, 2048, 20),
    Flavor("5", "m1.medium", 2, 4096, 40),
)


def ensure_flavors(client: Client) -> Outcome:
    present = {flavor["name"] for flavor in client.get("compute", "/flavors", is_public="None")["flavors"]}
    absent = [flavor for flavor in FLAVORS if flavor.name not in present]
    for flavor in absent:
        body = {
            "name": flavor.name,
            "id": flavor.id,
            "vcpus": flavor.vcpus,
            "ram": flavor.memory_mib,
            "disk": flavor.disk_gib,
        }
        client.request("POST", "compute", "/flavors", {"flavor": body})
    return Outcome(bool(absent), _made_or_present([flavor.name for flavor in absent], len(FLAVORS)))


def _made_or_present(made: list[str], total: int) -> str:
    return f"made {', '.join(made)}" if made else f"{total} are there"


def ensure_external_network(client: Client, config: Config) -> Outcome:
    """A network without DHCP whose gateway lives in the namespace of the outside world."""
    found = client.get("network", "/v2.0/networks", name=EXTERNAL_NETWORK)["networks"]
    network = found[0] if found else _make_external_network(client, config)
    subnets = client.get("network", "/v2.0/subnets", network_id=network["id"])["subnets"]
    if not subnets:
        client.request("POST", "network", "/v2.0/subnets", {"subnet": external_subnet(network["id"], config)})
    text = f"{EXTERNAL_NETWORK} {config.network.external_cidr}"
    return Outcome(not (found and subnets), text)


def _make_external_network(client: Client, config: Config) -> dict[str, Any]:
    body = {
        "name": EXTERNAL_NETWORK,
        "router:external": True,
        "provider:network_type": "flat",
        "provider:physical_network": "external",
        "mtu": config.network.mtu,
    }
    reply = client.request("POST", "network", "/v2.0/networks", {"network": body})
    network: dict[str, Any] = reply.json["network"]
    return network


def external_subnet(network_id: str, config: Config) -> dict[str, object]:
    """The first address is the gateway; floating IPs and routers get the tenth to the 250th, or what there is."""
    cidr = ipaddress.ip_network(config.network.external_cidr)
    first, last = 2, cidr.num_addresses - 2
    if cidr.num_addresses >= 256:
        first, last = 10, min(last, 250)
    return {
        "network_id": network_id,
        "name": f"{EXTERNAL_NETWORK}-subnet",
        "ip_version": cidr.version,
        "cidr": str(cidr),
        "gateway_ip": str(cidr[1]),
        "enable_dhcp": False,
        "allocation_pools": [{"start": str(cidr[first]), "end": str(cidr[last])}],
    }


def is_image_missing(client: Client) -> bool:
    return not any(image["status"] == "active" for image in _tiny_images(client))


def ensure_image(client: Client, path: Path, say: Say) -> Outcome:
    """An image whose upload broke off is still `queued`: it is removed and made anew."""
    if not is_image_missing(client):
        return Outcome(False, f"{TINY_IMAGE} is there")
    for image in _tiny_images(client):
        client.request("DELETE", "image", f"/v2/images/{image['id']}", ok=(204, 404))
    body = {
        "name": TINY_IMAGE,
        "disk_format": "qcow2",
        "container_format": "bare",
        "visibility": "public",
        "os_distro": "linux",
        "hw_rng_model": "virtio",
    }
    image = client.request("POST", "image", "/v2/images", body).json
    size = path.stat().st_size
    say(f"uploading {size // 1024 // 1024} MiB")
    headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
    with path.open("rb") as file:
        client.request("PUT", "image", f"/v2/images/{image['id']}/file", headers=headers, body=file)
    return Outcome(True, f"uploaded {TINY_IMAGE}, {size // 1024 // 1024} MiB")


def _tiny_images(client: Client) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = client.get("image", "/v2/images", name=TINY_IMAGE)["images"]
    return images
