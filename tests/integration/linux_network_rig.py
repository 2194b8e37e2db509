"""A small cloud's network on this machine, with namespaces that stand in for guests behind their taps."""

import os
import secrets
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces
from pilvi.network.drivers.linux.driver import LinuxDriver
from pilvi.network.drivers.linux.links import Links
from pilvi.network.drivers.protocol import (
    FixedIp,
    HostState,
    HostStatus,
    Network,
    Port,
    SecurityGroup,
    SecurityGroupRule,
    ServicePort,
    Subnet,
)

T = TypeVar("T")


def new_id() -> str:
    return str(uuid.uuid4())


def new_mac() -> str:
    return "fa:16:3e:" + secrets.token_bytes(3).hex(":")


class Guest:
    """A namespace whose eth0 is plugged in where the hypervisor's tap would be."""

    def __init__(self, rig: "Rig", port: Port, addresses: list[str], gateway: str | None) -> None:
        self.port = port
        self.namespace = f"pvt{rig.tag}-{len(rig.guests)}"
        namespaces.make(self.namespace)
        self._plug(rig)
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "link", "set", "eth0", "up")
        for address in addresses:
            self.run("ip", "addr", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []))
        if gateway:
            self.run("ip", "route", "add", "default", "via", gateway)

    def _plug(self, rig: "Rig") -> None:
        links = namespaces.inside(names.data_plane(rig.tag), Links)
        try:
            present = links.links()
            tap = names.tap_name(self.port.id)
            if tap in present:
                links.delete(present[tap].index)
            descriptor = os.open(namespaces.path_of(self.namespace), os.O_RDONLY)
            try:
                links.add_veth(tap, "0e:00:00:00:00:99", 1500, ("eth0", self.port.mac), descriptor)
            finally:
                os.close(descriptor)
        finally:
            links.close()

    def run(self, *command: str, check: bool = True, timeout_s: float = 60) -> "subprocess.CompletedProcess[str]":
        return self.inside(
            lambda: subprocess.run(command, capture_output=True, text=True, check=check, timeout=timeout_s)
        )

    def inside(self, action: Callable[[], T]) -> T:
        return namespaces.inside(self.namespace, action)

    def pings(self, address: str, *options: str) -> bool:
        """Whether an answer comes; the first packets may be lost to address resolution."""
        command = ["ping", "-c", "3", "-i", "0.2", "-W", "1", "-w", "3", *options, address]
        return self.run(*command, check=False).returncode == 0


class Outside(Guest):
    """The world beyond the external network: a namespace that the driver makes itself."""

    def __init__(self, rig: "Rig") -> None:
        self.namespace = names.outside_world(rig.tag)


class Rig:
    def __init__(self, tag: str, host_dir: Path) -> None:
        self.tag = tag
        self.host_dir = host_dir
        self.driver = LinuxDriver(tag=tag, host_dir=host_dir)
        self.guests: list[Guest] = []

    def apply(self, state: HostState) -> HostStatus:
        status = self.driver.reconcile(state)
        assert status.errors() == {}
        return status

    def guest(self, port: Port, *, cidr: str = "", gateway: str | None = None, bare: bool = False) -> Guest:
        length = (cidr or "/24").split("/")[1]
        addresses = [] if bare else [f"{one.ip}/{64 if ':' in one.ip else length}" for one in port.fixed_ips]
        guest = Guest(self, port, addresses, gateway)
        self.guests.append(guest)
        return guest

    def restart(self) -> None:
        """The agent dies and comes back: nothing but the files and the kernel remembers."""
        self.driver.close()
        self.driver = LinuxDriver(tag=self.tag, host_dir=self.host_dir)


@contextmanager
def rig(host_dir: Path) -> Iterator[Rig]:
    made = Rig(secrets.token_hex(4), host_dir)
    try:
        yield made
    finally:
        made.driver.teardown()
        for guest in made.guests:
            namespaces.remove(guest.namespace)


class Echo:
    """Accepts connections, or takes datagrams, and says what it hears; `seen` collects who spoke."""

    def __init__(self, server: socket.socket) -> None:
        self.seen: list[str] = []
        self._server = server
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._datagrams if self._is_datagram else self._connections)]
        self._threads[0].start()

    @property
    def _is_datagram(self) -> bool:
        return self._server.type == socket.SOCK_DGRAM

    def stop(self) -> None:
        if self._is_datagram:
            time.sleep(0.3)
        self._stop.set()
        for thread in self._threads:
            thread.join()
        self._server.close()

    def _datagrams(self) -> None:
        """What has arrived when it is told to stop is heard all the same."""
        while True:
            is_last = self._stop.is_set()
            try:
                self.seen.append(self._server.recvfrom(2048)[1][0])
            except TimeoutError:
                if is_last:
                    return

    def _connections(self) -> None:
        while not self._stop.is_set():
            with suppress(TimeoutError):
                connection, peer = self._server.accept()
                self.seen.append(peer[0])
                self._threads.append(threading.Thread(target=self._converse, args=(connection,)))
                self._threads[-1].start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, suppress(ConnectionError):
            connection.settimeout(0.1)
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    content = connection.recv(100)
                    if not content:
                        return
                    connection.send(content)


@contextmanager
def listener(guest: Guest, port: int, *, kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[list[str]]:
    """Listens in a guest. What is yielded collects the addresses that were seen; datagrams are waited for."""
    server = guest.inside(lambda: socket.socket(socket.AF_INET, kind))
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("0.0.0.0", port))
    server.settimeout(0.1)
    if kind == socket.SOCK_STREAM:
        server.listen()
    echo = Echo(server)
    try:
        yield echo.seen
    finally:
        echo.stop()


def connects(guest: Guest, address: str, port: int) -> bool:
    """Whether a TCP connection opens and carries bytes both ways."""
    with guest.inside(lambda: socket.socket(socket.AF_INET)) as client:
        client.settimeout(3)
        try:
            client.connect((address, port))
            client.send(b"hello")
            return client.recv(100) == b"hello"
        except OSError:
            return False


@contextmanager
def conversation(guest: Guest, address: str, port: int) -> Iterator[Callable[[], bool]]:
    """An established connection; each call says whether it still carries bytes both ways."""
    with guest.inside(lambda: socket.socket(socket.AF_INET)) as client:
        client.settimeout(3)
        client.connect((address, port))

        def talk() -> bool:
            try:
                client.send(b"hello")
                return client.recv(100) == b"hello"
            except OSError:
                return False

        yield talk


def send_udp(guest: Guest, address: str, port: int, *, from_port: int) -> None:
    with guest.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        sender.bind(("", from_port))
        sender.sendto(b"hello", (address, port))


ALLOW_ALL_OUT = (
    SecurityGroupRule("out4", "egress", "IPv4"),
    SecurityGroupRule("out6", "egress", "IPv6"),
)
PING = (
    SecurityGroupRule("ping4", "ingress", "IPv4", "icmp"),
    SecurityGroupRule("ping6", "ingress", "IPv6", "icmpv6"),
)


def group(*rules: SecurityGroupRule, id: str | None = None, members4: tuple[str, ...] = ()) -> SecurityGroup:
    return SecurityGroup(id or new_id(), rules=(*ALLOW_ALL_OUT, *rules), members4=members4)


def network(cidr: str = "10.0.0.0/24", *, zone: int = 1, cidr6: str | None = None, external: bool = False) -> Network:
    prefix = cidr.rsplit(".", 1)[0]
    subnet = Subnet(new_id(), cidr, 4, f"{prefix}.1", enable_dhcp=not external)
    subnets = (subnet,)
    fixed = [FixedIp(subnet.id, f"{prefix}.2")]
    if cidr6 is not None:
        base = cidr6.split("/")[0]
        wide = Subnet(new_id(), cidr6, 6, f"{base}1", ipv6_ra_mode="slaac", ipv6_address_mode="slaac")
        subnets = (subnet, wide)
        fixed.append(FixedIp(wide.id, f"{base}2"))
    service = None if external else ServicePort(new_id(), new_mac(), tuple(fixed))
    return Network(new_id(), zone, 1450, external, subnets=subnets, service_port=service, dns_domain="cloud.example.")


def port(of: Network, *ips: str, groups: tuple[SecurityGroup, ...] = (), hostname: str = "") -> Port:
    fixed = tuple(FixedIp(of.subnets[1 if ":" in ip else 0].id, ip) for ip in ips)
    return Port(new_id(), of.id, new_mac(), fixed, security_groups=tuple(one.id for one in groups), hostname=hostname)


def without_port(state: HostState, gone: Port) -> HostState:
    return replace(state, ports=tuple(one for one in state.ports if one.id != gone.id))
