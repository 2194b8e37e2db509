"""`ssh`: reaches a guest from inside its network's service namespace; the host's own network stays untouched."""

import ctypes
import ipaddress
import os
import sys
from pathlib import Path
from typing import Any, Final, NoReturn

from pilvi.client import Client
from pilvi.kernel.config import Config
from pilvi.network.drivers import names
from pilvi.ops import site
from pilvi.ops.progress import StepFailed

APT_PACKAGES: Final = ("openssh-client",)
CLONE_NEWNET: Final = 0x40000000


def enter(config: Config, server: str, command: list[str], *, user: str, identity: Path | None) -> NoReturn:
    """Replaces this process by ssh."""
    with site.admin_client(config) as client:
        namespace, address = find_way(config, find_server(client, server), client)
    enter_namespace(namespace)
    argv = ["ssh", *ssh_options(identity), f"{user}@{address}", *command]
    sys.stdout.flush()
    os.execvp(argv[0], argv)


def find_server(client: Client, wanted: str) -> dict[str, Any]:
    """By id or name, in every project."""
    reply = client.request("GET", "compute", f"/servers/{wanted}", ok=(200, 400, 404))
    if reply.status == 200:
        server: dict[str, Any] = reply.json["server"]
        return server
    named = [
        server
        for server in client.get("compute", "/servers/detail", all_tenants="1", name=f"^{wanted}$")["servers"]
        if server["name"] == wanted
    ]
    if len(named) != 1:
        raise StepFailed(
            f"There is no server {wanted}." if not named else f"{len(named)} servers are named {wanted}: give the id."
        )
    return dict(named[0])


def find_way(config: Config, server: dict[str, Any], client: Client) -> tuple[str, str]:
    """The namespace and the address to go to: IPv4 first, because every guest image has it."""
    ports = client.get("network", "/v2.0/ports", device_id=server["id"])["ports"]
    ways = [(port["network_id"], fixed["ip_address"]) for port in ports for fixed in port["fixed_ips"]]
    ways.sort(key=lambda way: ipaddress.ip_address(way[1]).version)
    for network_id, address in ways:
        namespace = names.service_namespace(config.cloud.tag, network_id)
        if Path("/run/netns", namespace).exists():
            return namespace, address
    where = server.get("OS-EXT-SRV-ATTR:host") or "no host"
    raise StepFailed(f"Server {server['name']} has no address that can be reached from this host (it is on {where}).")


def enter_namespace(name: str) -> None:
    fd = os.open(f"/run/netns/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(fd, CLONE_NEWNET) != 0:
            raise StepFailed(f"Cannot enter the namespace {name}: {os.strerror(ctypes.get_errno())}.")
    finally:
        os.close(fd)


def ssh_options(identity: Path | None) -> list[str]:
    """Addresses repeat between projects, so known hosts are of no use here."""
    options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "ConnectTimeout=30")
    return [*(f"-o{option}" for option in options), *(["-i", str(identity)] if identity else [])]
