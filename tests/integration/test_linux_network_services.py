"""What guests are told on their wire: addresses, names, ways out, metadata; on the real kernel."""

import http.client
import os
import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.agent.responders.dhcp4 import encode_name
from pilvi.agent.responders.responders import ResponderThread
from pilvi.network.drivers.protocol import DhcpOption, HostState, Network, Port, Router, RouterGateway, RouterInterface
from tests.integration import linux_network_rig as made
from tests.integration.linux_network_rig import Guest, Rig

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]

ADDRESS_SCRIPT = """#!/bin/sh
[ "$1" = bound ] || exit 0
ip addr add "$ip/$mask" dev eth0
set -- $staticroutes
while [ $# -ge 2 ]; do ip route add "$1" via "$2"; shift 2; done
env
"""


class Cloud:
    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.responders = ResponderThread(rig.tag, self.metadata)

    def metadata(self, network_id: str, ip: str, path: str, headers: Mapping[str, str]) -> tuple[int, str, bytes]:
        if path == "/fails":
            raise RuntimeError("deliberately")
        return 200, "text/plain", f"{network_id} {ip} {path} {headers.get('user-agent', '')}".encode()

    def apply(self, state: HostState) -> None:
        self.rig.apply(state)
        assert self.responders.apply(state) == {}

    def plugged(self, state: HostState, *ports: Port) -> list[Guest]:
        self.apply(state)
        guests = [self.rig.guest(one, bare=True) for one in ports]
        self.apply(state)
        return guests


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with made.rig(tmp_path) as rig:
        cloud = Cloud(rig)
        try:
            yield cloud
        finally:
            cloud.responders.close()


def lease(guest: Guest, folder: Path, *options: str) -> dict[str, str]:
    """What busybox's client is told; empty when nobody answers."""
    script = folder / "udhcpc.sh"
    script.write_text(ADDRESS_SCRIPT)
    script.chmod(0o755)
    asked = [option for number in ("12", "15", "26", "42", "121") for option in ("-O", number)]
    command = ["busybox", "udhcpc", "-i", "eth0", "-f", "-n", "-q", "-t", "4", "-T", "1", "-s", str(script)]
    done = guest.run(*command, *asked, *options, check=False)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def get(guest: Guest, path: str, method: str = "GET") -> tuple[int, str]:
    connection = http.client.HTTPConnection("169.254.169.254", timeout=5)
    guest.inside(connection.connect)
    try:
        connection.request(method, path, headers={"User-Agent": "test"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def resolve(guest: Guest, name: str, kind: int, *, server: str = "10.0.0.2") -> tuple[int, bytes]:
    """The response code and everything behind the question."""
    question = encode_name(name) + struct.pack("!HH", kind, 1)
    with guest.inside(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking:
        asking.settimeout(5)
        asking.connect((server, 53))
        asking.send(struct.pack("!6H", 77, 0x0100, 1, 0, 0, 0) + question)
        content = asking.recv(2048)
    return content[3] & 0xF, content[12 + len(question) :]


def simple(**network: object) -> tuple[Network, Port, HostState]:
    group = made.group(*made.PING)
    net = replace(made.network(), **network)  # type: ignore[arg-type]
    port = made.port(net, "10.0.0.11", groups=(group,), hostname="web-1")
    return net, port, HostState((net,), (port,), (group,))


def test_a_guest_gets_its_address_its_name_and_its_routes(cloud: Cloud, tmp_path: Path) -> None:
    _, port, state = simple()
    state = replace(state, ports=(replace(port, extra_dhcp_opts=(DhcpOption("ntp-server", "10.9.9.9"),)),))
    (guest,) = cloud.plugged(state, port)

    told = lease(guest, tmp_path)

    assert (told["ip"], told["mask"], told["router"]) == ("10.0.0.11", "24", "10.0.0.1")
    assert (told["hostname"], told["domain"]) == ("web-1", "cloud.example")
    assert (told["mtu"], told["dns"], told["serverid"]) == ("1450", "10.0.0.2", "10.0.0.2")
    assert told["staticroutes"] == "169.254.169.254/32 10.0.0.2 0.0.0.0/0 10.0.0.1"
    assert told["ntpsrv"] == "10.9.9.9"


def test_a_wrong_wish_is_refused_and_the_right_address_given(cloud: Cloud, tmp_path: Path) -> None:
    _, port, state = simple()
    (guest,) = cloud.plugged(state, port)
    assert lease(guest, tmp_path, "-r", "10.0.0.99")["ip"] == "10.0.0.11"


def test_a_stranger_on_the_wire_gets_no_address(cloud: Cloud, tmp_path: Path) -> None:
    net, port, state = simple()
    stranger = replace(made.port(net, "10.0.0.12"), port_security_enabled=False)
    both = replace(state, ports=(port, stranger))
    _, guest = cloud.plugged(both, port, stranger)
    guest.run("ip", "link", "set", "eth0", "address", "fa:16:3e:00:00:99")
    assert lease(guest, tmp_path) == {}


def test_metadata_knows_who_asks_by_network_and_address(cloud: Cloud, tmp_path: Path) -> None:
    group = made.group()
    red, blue = made.network(zone=1), made.network(zone=2)
    ports = [made.port(net, "10.0.0.11", groups=(group,)) for net in (red, blue)]
    guests = cloud.plugged(HostState((red, blue), tuple(ports), (group,)), *ports)
    for net, guest in zip((red, blue), guests, strict=True):
        lease(guest, tmp_path)
        assert get(guest, "/openstack?x=1") == (200, f"{net.id} 10.0.0.11 /openstack test")
        assert get(guest, "/fails")[0] == 500
        assert get(guest, "/openstack", "POST")[0] == 405
        assert get(guest, "/openstack", "HEAD") == (200, "")


def test_clients_that_dawdle_or_shout_do_not_keep_metadata_from_others(cloud: Cloud, tmp_path: Path) -> None:
    net, port, state = simple()
    other = made.port(net, "10.0.0.12", groups=(state.security_groups[0],))
    bad, good = cloud.plugged(replace(state, ports=(port, other)), port, other)
    lease(bad, tmp_path)
    lease(good, tmp_path)

    def dawdle() -> list[socket.socket]:
        opened = []
        for _ in range(200):
            one = socket.create_connection(("169.254.169.254", 80), timeout=5)
            one.send(b"GET /slow HTTP/1.1\r\n")
            opened.append(one)
        return opened

    held = bad.inside(dawdle)
    try:
        assert get(good, "/x")[0] == 200
    finally:
        for one in held:
            one.close()
    with good.inside(lambda: socket.create_connection(("169.254.169.254", 80), timeout=5)) as shouting:
        shouting.sendall(b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n")
        assert shouting.recv(100).startswith(b"HTTP/1.1 431")
    assert get(good, "/x")[0] == 200


def test_names_of_ports_are_resolved_and_foreign_ones_refused(cloud: Cloud, tmp_path: Path) -> None:
    net, port, state = simple()
    other = made.port(net, "10.0.0.12", groups=(state.security_groups[0],), hostname="db")
    guest, _ = cloud.plugged(replace(state, ports=(port, other)), port, other)
    lease(guest, tmp_path)

    assert resolve(guest, "db.cloud.example", 1) == (0, b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + b"\n\0\0\x0c")
    assert resolve(guest, "12.0.0.10.in-addr.arpa", 12)[1].endswith(encode_name("db.cloud.example"))
    assert resolve(guest, "absent.cloud.example", 1) == (3, b"")
    assert resolve(guest, "db.cloud.example", 28) == (0, b"")
    assert resolve(guest, "www.example.org", 1) == (5, b"")


def test_a_router_tells_guests_their_prefix_and_the_way_out(cloud: Cloud) -> None:
    group = made.group(*made.PING)
    nets = [made.network("10.0.0.0/24", zone=1, cidr6="fd00:1::/64"),
            made.network("10.1.0.0/24", zone=2, cidr6="fd00:2::/64")]  # fmt: skip
    router = Router(made.new_id(), interfaces=tuple(
        RouterInterface(made.new_id(), net.id, made.new_mac(), net.subnets[1].gateway_ip or "",
                        net.subnets[1].cidr, net.subnets[1].id)
        for net in nets
    ))  # fmt: skip
    ports = [slaac(net, group) for net in nets]
    state = HostState(tuple(nets), tuple(ports), (group,), (router,))
    near, far = cloud.plugged(state, *ports)

    wait_until(lambda: near.pings(ports[1].fixed_ips[0].ip))
    assert "default via fe80::" in near.run("ip", "-6", "route").stdout
    assert far.pings(ports[0].fixed_ips[0].ip)


def test_a_network_without_a_router_still_tells_its_prefix_but_is_no_way_out(cloud: Cloud) -> None:
    group, net = made.group(*made.PING), made.network(cidr6="fd00:1::/64")
    ports = [slaac(net, group) for _ in range(2)]
    one, _ = cloud.plugged(HostState((net,), tuple(ports), (group,)), *ports)
    wait_until(lambda: one.pings(ports[1].fixed_ips[0].ip))
    assert "default" not in one.run("ip", "-6", "route").stdout


def test_responders_follow_the_state_and_come_back_after_the_network_was_made_anew(
    cloud: Cloud, tmp_path: Path
) -> None:
    _, port, state = simple()
    (guest,) = cloud.plugged(state, port)
    assert lease(guest, tmp_path)["ip"] == "10.0.0.11"
    cloud.apply(replace(state, ports=(replace(port, hostname="renamed"),)))
    guest.run("ip", "addr", "flush", "dev", "eth0")
    assert lease(guest, tmp_path)["hostname"] == "renamed"

    cloud.apply(HostState())
    guest._plug(cloud.rig)
    cloud.apply(state)
    guest.run("ip", "link", "set", "eth0", "up")
    assert lease(guest, tmp_path)["ip"] == "10.0.0.11"


def slaac(net: Network, group: object) -> Port:
    """A port whose address is what its guest makes of the prefix and its MAC."""
    from pilvi.network.drivers.linux.port_security import link_local

    port = made.port(net, groups=(group,))  # type: ignore[arg-type]
    suffix = link_local(port.mac).removeprefix("fe80::")
    prefix = net.subnets[1].cidr.split("::")[0]
    return replace(port, fixed_ips=(made.FixedIp(net.subnets[1].id, f"{prefix}:0:0:{suffix}"),))


def wait_until(holds: Callable[[], bool], limit_s: float = 30) -> None:
    end = time.monotonic() + limit_s
    while not holds():
        assert time.monotonic() < end, "It did not come true in time."
        time.sleep(0.2)


def test_a_guest_of_a_managed_subnet_gets_its_address_by_dhcpv6(cloud: Cloud) -> None:
    group, net = made.group(*made.PING), made.network(cidr6="fd00:1::/64")
    wide = replace(net.subnets[1], ipv6_ra_mode="dhcpv6-stateful", ipv6_address_mode="dhcpv6-stateful")
    net = replace(net, subnets=(net.subnets[0], wide))
    port = made.port(net, "fd00:1::11", groups=(group,))
    (guest,) = cloud.plugged(HostState((net,), (port,), (group,)), port)

    def solicit() -> bytes:
        identifier = b"\0\1\0\x0a\0\3\0\1" + bytes.fromhex(port.mac.replace(":", ""))
        association = struct.pack("!HHIII", 3, 12, 1, 0, 0)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as asking:
            asking.settimeout(1)
            asking.bind(("::", 546))
            for _ in range(20):
                try:
                    asking.sendto(b"\1abc" + identifier + association, ("ff02::1:2%eth0", 547))
                    return asking.recv(2048)
                except OSError:  # Its own address is still being tried for duplicates.
                    time.sleep(0.3)
        return b""

    told = guest.inside(solicit)
    assert told[:4] == b"\2abc"
    assert socket.inet_pton(socket.AF_INET6, "fd00:1::11") in told


def test_foreign_names_are_asked_for_through_the_network_s_own_router(cloud: Cloud, tmp_path: Path) -> None:
    group = made.group()
    external = made.network("203.0.113.0/24", zone=2, external=True)
    net = made.network()
    subnet = replace(net.subnets[0], dns_nameservers=("203.0.113.1",))
    net = replace(net, subnets=(subnet,))
    router = Router(
        made.new_id(),
        gateway=RouterGateway(
            made.new_id(), external.id, made.new_mac(), (made.FixedIp(external.subnets[0].id, "203.0.113.10"),)
        ),
        interfaces=(RouterInterface(made.new_id(), net.id, made.new_mac(), "10.0.0.1", "10.0.0.0/24", subnet.id),),
    )
    port = made.port(net, "10.0.0.11", groups=(group,))
    (guest,) = cloud.plugged(HostState((net, external), (port,), (group,), (router,)), port)
    lease(guest, tmp_path)
    outside = made.Outside(cloud.rig)
    with made.listener(outside, 53, kind=socket.SOCK_DGRAM) as seen:
        # Nobody answers, which after a while is said; what matters is the way the question took.
        assert resolve(guest, "www.example.org", 1) == (2, b"")
    assert seen == ["203.0.113.10"]
