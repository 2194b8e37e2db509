"""No address and no MAC is ever given out twice, whoever asks at the same time and whatever was freed before."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilvi.kernel.context import internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Conflict
from pilvi.network.networks import service as networks
from pilvi.network.ports import service as ports
from pilvi.network.subnets import service as subnets
from tests.contract.network.conftest import Net

WRITERS = 6


def make_network(database: Database, cidr: str) -> str:
    """A network with one subnet, straight through the services; its id."""
    ctx = internal("req-test", project_id="p")

    def work(tx: Tx) -> str:
        values: dict[str, Any] = {
            "name": "n", "description": "", "admin_state_up": True, "shared": False, "external": False,
            "is_default": False, "mtu": 0, "port_security_enabled": False, "dns_domain": "", "network_type": None,
            "physical_network": None, "segmentation_id": None, "availability_zone_hints": [],
        }  # fmt: skip
        network = networks.create(ctx, tx, "p", values)
        asked: dict[str, Any] = {
            "network_id": network.id, "ip_version": 4, "cidr": cidr, "subnetpool_id": None,
            "use_default_subnetpool": False, "prefixlen": None, "ipv6_ra_mode": None, "ipv6_address_mode": None,
            "name": "s", "description": "", "gateway_ip": None, "allocation_pools": None, "dns_nameservers": None,
            "host_routes": None, "enable_dhcp": False, "service_types": None, "dns_publish_fixed_ip": False,
        }  # fmt: skip
        subnets.create(ctx, tx, "p", asked, given=frozenset())
        return network.id

    return database.write(work)


def plug(database: Database, network_id: str) -> tuple[str, str] | None:
    """A new port's id and address; None when there is none left."""

    def work(tx: Tx) -> tuple[str, str]:
        network = networks.find(tx, network_id)
        assert network is not None
        port = ports.make(tx, network, project_id="p")
        return port.id, port.fixed_ips[0]["ip_address"]

    try:
        return database.write(work)
    except Conflict as fault:
        if fault.type != "IpAddressGenerationFailure":
            raise
        return None


def unplug(database: Database, port_id: str) -> None:
    def work(tx: Tx) -> None:
        port = ports.find(tx, port_id)
        assert port is not None
        ports.remove(tx, port)

    database.write(work)


def test_concurrent_writers_share_out_every_address_once(database: Database) -> None:
    network_id = make_network(database, "10.0.0.0/26")
    barrier = threading.Barrier(WRITERS)

    def writer(_: int) -> list[str]:
        barrier.wait(30)
        got = []
        while (made := plug(database, network_id)) is not None:
            got.append(made[1])
        return got

    with ThreadPoolExecutor(WRITERS) as pool:
        given_out = [ip for ips in pool.map(writer, range(WRITERS)) for ip in ips]
    assert len(given_out) == len(set(given_out)) == 61  # 62 hosts but for the gateway


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(rounds=st.lists(st.tuples(st.integers(0, 6), st.sets(st.integers(0, 20), max_size=6)), max_size=6))
def test_whatever_is_taken_and_freed_at_once_no_address_is_held_twice(
    database: Database, rounds: list[tuple[int, set[int]]]
) -> None:
    network_id = make_network(database, "10.0.0.0/28")
    held: dict[str, str] = {}
    with ThreadPoolExecutor(WRITERS) as pool:
        for plugs, indexes in rounds:
            gone = [list(held)[index] for index in indexes if index < len(held)]
            freeing = [pool.submit(unplug, database, port_id) for port_id in gone]
            making = [pool.submit(plug, database, network_id) for _ in range(plugs)]
            for task in freeing:
                task.result(60)
            freed = {port_id: held.pop(port_id) for port_id in gone}
            for made in (task.result(60) for task in making):
                if made is not None:
                    assert made[1] not in held.values()
                    held[made[0]] = made[1]
            assert len(held) == len(set(held.values())) <= 13
            assert not set(freed) & set(held)
            present = database.read(lambda tx: ports.of_networks(tx, [network_id]))
            assert {port.id: port.fixed_ips[0]["ip_address"] for port in present} == held
    while plug(database, network_id) is not None:
        pass
    assert len(database.read(lambda tx: ports.of_networks(tx, [network_id]))) == 13


def test_a_busy_subnet_stays_quick(net: Net) -> None:
    """The next address is found by looking at a few, not by walking over all that are taken."""
    network, _ = net.network_with_subnet("10.0.0.0/16")
    body = {"ports": [{"network_id": network["id"]} for _ in range(100)]}
    for _ in range(3):
        assert net.ask("POST", "/ports", body).status == 201
    last = net.make("ports", network_id=network["id"])
    assert last["fixed_ips"][0]["ip_address"] == "10.0.1.46"
