"""The `linux` driver keeps the promises of a network driver, whatever kills it, and leaves nothing behind."""

import fcntl
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import filter_put, namespaces
from pilvi.network.drivers.linux.driver import LinuxDriver
from pilvi.network.drivers.linux.netlink import Netlink
from pilvi.network.drivers.protocol import HostState, SecurityGroup, SecurityGroupRule
from tests.contract.drivers.network_suite import PORTS, ROUTER, STATE, Host, NetworkDriverSuite

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="needs root")]


@pytest.fixture
def tag() -> str:
    return secrets.token_hex(4)


@pytest.fixture
def host(tag: str, tmp_path: Path) -> Iterator[Host]:
    host = Host(lambda: LinuxDriver(tag=tag, host_dir=tmp_path))
    yield host
    host.driver.teardown()
    assert namespaces.present(names.namespace_prefix(tag)) == set()


class TestLinux(NetworkDriverSuite):
    pass


class Died(BaseException):
    """The agent was killed here."""


class Executioner:
    """Counts every step that touches the host or the disk, and dies before a chosen one."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.steps = 0
        self._dies_at = 0
        for owner, name in ((Netlink, "ask"), (subprocess, "run"), (Path, "replace"), (fcntl, "ioctl")):
            patch.setattr(owner, name, self._counted(getattr(owner, name)))

    def dies_at(self, step: int) -> None:
        self.steps, self._dies_at = 0, step

    def _counted(self, step: Callable[..., object]) -> Callable[..., object]:
        def counted(*arguments: object, **named: object) -> object:
            self.steps += 1
            if self.steps == self._dies_at:
                raise Died
            return step(*arguments, **named)

        return counted


GROUP = STATE.security_groups[0]
CHANGED = replace(
    STATE,
    ports=(replace(PORTS[0], security_groups=("group-2",)),),
    security_groups=(SecurityGroup("group-2", rules=GROUP.rules[:2]),),
    routers=(replace(ROUTER, routes=(), floating_ips=(replace(ROUTER.floating_ips[0], fixed_ip="10.0.0.12"),)),),
)


@pytest.mark.parametrize(
    ("before", "after"),
    [(HostState(), STATE), (STATE, CHANGED), (STATE, HostState())],
    ids=["built", "changed", "removed"],
)
def test_a_death_at_any_step_is_made_good_by_the_next_turn(
    host: Host, before: HostState, after: HostState, monkeypatch: pytest.MonkeyPatch
) -> None:
    executioner = Executioner(monkeypatch)
    step, has_ended = 0, False
    while not has_ended:
        step += 1
        executioner.dies_at(0)
        host.driver.reconcile(before)
        executioner.dies_at(step)
        try:
            host.driver.reconcile(after)
            has_ended = True
        except Died:
            pass
        executioner.dies_at(0)
        host.restart_agent()
        assert host.driver.reconcile(after).errors() == {}
        assert host.driver.reconcile(after).changes == 0
        if before == HostState():
            host.driver.teardown()
    assert step > 10


def test_a_rule_that_the_kernel_refuses_shuts_only_its_own_group(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = filter_put.compile_filter

    def broken(state: HostState, shim: str) -> object:
        ruleset, errors = compiled(state, shim)
        for chain in [name for name in ruleset[1].chains if name.startswith("g_")]:
            rules = ruleset[1].chains[chain].rules
            nonsense = tuple(rule.replace("dport 666", "no such thing") for rule in rules)
            ruleset[1].chains[chain] = replace(ruleset[1].chains[chain], rules=nonsense)  # type: ignore[index]
        return ruleset, errors

    monkeypatch.setattr(filter_put, "compile_filter", broken)
    bad = SecurityGroup("bad", rules=(SecurityGroupRule("r", "ingress", "IPv4", "tcp", 666, 666),))
    state = replace(STATE, security_groups=(GROUP, bad), ports=(PORTS[0], replace(PORTS[1], security_groups=("bad",))))
    status = host.driver.reconcile(state)
    assert set(status.errors()) == {("security_group", "bad")}
    assert host.driver.reconcile(state).changes == 0


def test_drift_made_by_others_is_healed(host: Host, tag: str) -> None:
    host.driver.reconcile(STATE)
    data_plane = names.data_plane(tag)
    damage = [
        (data_plane, ["nft", "flush", "ruleset"]),
        (data_plane, ["ip", "link", "delete", names.bridge_name(STATE.networks[0].id)]),
        (data_plane, ["ip", "link", "set", names.tap_name("port-11"), "down"]),
        (data_plane, ["ip", "link", "set", names.tap_name("port-11"), "nomaster"]),
        (data_plane, ["sysctl", "-q", "net.ipv4.ip_forward=1"]),
        (names.router_namespace(tag, ROUTER.id), ["ip", "route", "flush", "proto", "static"]),
        (names.router_namespace(tag, ROUTER.id), ["nft", "delete", "table", "inet", "pilvi_nat"]),
        (names.service_namespace(tag, STATE.networks[0].id), ["ip", "addr", "flush", "dev", "svc"]),
        (names.service_namespace(tag, STATE.networks[0].id), ["ip", "link", "delete", "svc"]),
    ]
    for namespace, command in damage:
        namespaces.inside(namespace, lambda: subprocess.run(command, check=True))  # noqa: B023
        status = host.driver.reconcile(STATE)
        assert (status.errors(), status.changes > 0) == ({}, True), command
        assert host.driver.reconcile(STATE).changes == 0, command
    subprocess.run(["ip", "netns", "delete", names.router_namespace(tag, ROUTER.id)], check=True)
    assert host.driver.reconcile(STATE).errors() == {}
    assert host.driver.reconcile(STATE).changes == 0


def test_links_of_an_operator_are_left_alone(host: Host, tag: str) -> None:
    host.driver.reconcile(STATE)
    add = ["ip", "link", "add", "uplink0", "type", "veth", "peer", "name", "uplink1"]
    namespaces.inside(names.data_plane(tag), lambda: subprocess.run(add, check=True))
    host.driver.reconcile(HostState())
    assert host.driver.reconcile(STATE).errors() == {}
    show = ["ip", "link", "show", "uplink0"]
    assert namespaces.inside(names.data_plane(tag), lambda: subprocess.run(show, check=False)).returncode == 0


def test_many_ports_are_applied_quickly(host: Host) -> None:
    ports = tuple(
        replace(PORTS[0], id=f"p{n}", mac=f"fa:16:3e:01:{n // 256:02x}:{n % 256:02x}", fixed_ips=()) for n in range(200)
    )
    assert host.driver.reconcile(replace(STATE, ports=ports)).errors() == {}
    assert host.driver.reconcile(replace(STATE, ports=ports)).changes == 0
