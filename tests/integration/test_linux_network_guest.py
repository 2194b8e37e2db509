"""A real guest on the `linux` network: its tap, its lease, its metadata, and the way to it from outside."""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.agent.responders.responders import ResponderThread
from pilvi.compute.drivers.protocol import Nic
from pilvi.network.drivers.protocol import (
    FixedIp,
    FloatingIp,
    HostState,
    Router,
    RouterGateway,
    RouterInterface,
)
from tests.integration import linux_network_rig as made
from tests.integration import qemu_rig

pytestmark = [
    pytest.mark.root,
    pytest.mark.guest,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root"),
]


def test_a_guest_boots_with_its_address_learns_who_it_is_and_is_reached_by_its_floating_ip(tmp_path: Path) -> None:
    group = made.group(*made.PING)
    net = made.network(zone=1, cidr6="fd00:1::/64")
    external = made.network("203.0.113.0/24", zone=2, external=True)
    port = made.port(net, "10.0.0.11", groups=(group,), hostname="web-1")
    router = Router(
        made.new_id(),
        gateway=RouterGateway(
            made.new_id(), external.id, made.new_mac(), (FixedIp(external.subnets[0].id, "203.0.113.10"),)
        ),
        interfaces=(
            RouterInterface(made.new_id(), net.id, made.new_mac(), "10.0.0.1", "10.0.0.0/24", net.subnets[0].id),
        ),
        floating_ips=(FloatingIp(made.new_id(), "203.0.113.50", "10.0.0.11", port.id),),
    )
    state = HostState((net, external), (port,), (group,), (router,))
    guest_id = str(uuid.uuid4())

    def metadata(network_id: str, ip: str, path: str, _: Mapping[str, str]) -> tuple[int, str, bytes]:
        assert (network_id, ip) == (net.id, "10.0.0.11")
        if path == "/openstack/latest/meta_data.json":
            return 200, "application/json", json.dumps({"uuid": guest_id, "hostname": "web-1.cloud.example"}).encode()
        return (200, "text/plain", b"latest") if path == "/openstack" else (404, "text/plain", b"")

    with made.rig(tmp_path / "net") as rig, qemu_rig.leaving_nothing(tmp_path):
        rig.apply(state)
        responders = ResponderThread(rig.tag, metadata)
        hypervisor = qemu_rig.make_driver(tmp_path)
        try:
            assert responders.apply(state) == {}
            spec = qemu_rig.tiny_spec(tmp_path, guest_id)
            hypervisor.define(replace(spec, nics=(Nic(port.id, port.mac, net.mtu),)))
            hypervisor.power_on(guest_id, rig.driver.open_tap)
            said = qemu_rig.wait_for_text(hypervisor, guest_id, b"web-1 login:")
            assert b"10.0.0.11/24" in said
            assert made.Outside(rig).pings("203.0.113.50")
            assert rig.apply(state).changes == 0
            assert rig.driver.stats()[port.id].sent_packets > 0
        finally:
            hypervisor.destroy(guest_id)
            responders.close()
