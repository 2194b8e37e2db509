"""What a network driver must do on one host, and the records it is told in.

A driver is level-triggered: it is handed the whole wanted state of its host and makes it true. Every call may be
repeated after a crash at any instruction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from pilvi.network.drivers import records


class DriverFault(Exception):
    """The host cannot do what is wanted now. `retry` says whether waiting may help."""

    def __init__(self, message: str, *, retry: bool) -> None:
        super().__init__(message)
        self.retry = retry


@dataclass(frozen=True, slots=True)
class HostRoute:
    destination: str
    nexthop: str


@dataclass(frozen=True, slots=True)
class AllocationPool:
    start: str
    end: str


@dataclass(frozen=True, slots=True)
class FixedIp:
    subnet_id: str
    ip: str


@dataclass(frozen=True, slots=True)
class Subnet:
    id: str
    cidr: str
    ip_version: int
    gateway_ip: str | None = None
    enable_dhcp: bool = True
    dns_nameservers: tuple[str, ...] = ()
    host_routes: tuple[HostRoute, ...] = ()
    ipv6_ra_mode: str | None = None
    ipv6_address_mode: str | None = None
    allocation_pools: tuple[AllocationPool, ...] = ()


@dataclass(frozen=True, slots=True)
class ServicePort:
    """The port on which a network's DHCP, DNS and metadata answer."""

    id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...] = ()


@dataclass(frozen=True, slots=True)
class Network:
    id: str
    zone: int  # Conntrack zone: unique among the networks of a host, 1 to 65535.
    mtu: int = 1500
    external: bool = False
    physical_network: str | None = None
    vni: int | None = None
    subnets: tuple[Subnet, ...] = ()
    service_port: ServicePort | None = None
    dns_domain: str = ""


@dataclass(frozen=True, slots=True)
class AddressPair:
    ip_address: str
    mac_address: str | None = None


@dataclass(frozen=True, slots=True)
class DhcpOption:
    opt_name: str
    opt_value: str
    ip_version: int = 4


@dataclass(frozen=True, slots=True)
class Port:
    """A port that a guest of this host uses. `tap_name` is names.tap_name(id); empty means just that."""

    id: str
    network_id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...] = ()
    device_id: str = ""
    device_owner: str = ""
    server_id: str | None = None
    admin_state_up: bool = True
    port_security_enabled: bool = True
    security_groups: tuple[str, ...] = ()
    allowed_address_pairs: tuple[AddressPair, ...] = ()
    hostname: str = ""
    extra_dhcp_opts: tuple[DhcpOption, ...] = ()
    tap_name: str = ""


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    id: str
    direction: str
    ethertype: str = "IPv4"
    protocol: str | None = None
    port_range_min: int | None = None
    port_range_max: int | None = None
    remote_ip_prefix: str | None = None
    remote_group_id: str | None = None


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """Rules, and the addresses of all its ports on all hosts (for rules that name it as the remote group)."""

    id: str
    stateful: bool = True
    rules: tuple[SecurityGroupRule, ...] = ()
    members4: tuple[str, ...] = ()
    members6: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterGateway:
    port_id: str
    network_id: str
    mac: str
    fixed_ips: tuple[FixedIp, ...] = ()


@dataclass(frozen=True, slots=True)
class RouterInterface:
    """One fixed IP of a router's port; a port with two addresses is two of these."""

    port_id: str
    network_id: str
    mac: str
    ip: str
    cidr: str
    subnet_id: str


@dataclass(frozen=True, slots=True)
class FloatingIp:
    id: str
    floating_ip: str
    fixed_ip: str
    port_id: str = ""


@dataclass(frozen=True, slots=True)
class Router:
    id: str
    admin_state_up: bool = True
    enable_snat: bool = True
    gateway: RouterGateway | None = None
    interfaces: tuple[RouterInterface, ...] = ()
    routes: tuple[HostRoute, ...] = ()
    floating_ips: tuple[FloatingIp, ...] = ()


@dataclass(frozen=True, slots=True)
class HostState:
    """Everything one host's network has to be. What is not in it shall not be there."""

    networks: tuple[Network, ...] = ()
    ports: tuple[Port, ...] = ()
    security_groups: tuple[SecurityGroup, ...] = ()
    routers: tuple[Router, ...] = ()

    @staticmethod
    def from_json(value: object) -> "HostState":
        return records.from_json(HostState, value, "network")

    def to_json(self) -> dict[str, object]:
        return dict(records.to_json(self))


@dataclass(frozen=True, slots=True)
class ObjectStatus:
    kind: str  # network, port, security_group, router, floating_ip
    id: str
    error: str | None = None  # None: applied, packets flow as wanted.


@dataclass(frozen=True, slots=True)
class HostStatus:
    objects: tuple[ObjectStatus, ...] = ()
    changes: int = 0  # What this turn had to touch; 0 when all was as wanted.

    def error_of(self, kind: str, id: str) -> str | None:
        """Why an object is not applied; None when it is. KeyError for what was not in the state."""
        return {(one.kind, one.id): one.error for one in self.objects}[kind, id]

    def errors(self) -> dict[tuple[str, str], str]:
        return {(one.kind, one.id): one.error for one in self.objects if one.error is not None}

    def to_json(self) -> dict[str, object]:
        return dict(records.to_json(self))


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What this driver really enforces; the API announces no more than this."""

    driver: str
    stateless_security_groups: bool = False
    security_groups: bool = True
    routers: bool = True
    ipv6: bool = True
    detail: tuple[tuple[str, str], ...] = ()  # What was found by trying, for `pilvi doctor`.


@dataclass(frozen=True, slots=True)
class PortCounters:
    """Bytes and packets as the guest sees them: received is what reached the guest."""

    received_bytes: int
    received_packets: int
    sent_bytes: int
    sent_packets: int
    received_dropped: int
    sent_dropped: int


class NetworkDriver(Protocol):
    def capabilities(self) -> Capabilities:
        """Asked once when the agent starts. DriverFault, with the remedy, when the host cannot carry networks."""

    def reconcile(self, state: HostState, *, may_remove: bool = True) -> HostStatus:
        """On every turn. Afterwards every object of the state is applied or has an error; one bad object never
        keeps another from being applied. Without `may_remove` (the state may be partial) nothing is taken away."""

    def open_tap(self, port_id: str) -> int:
        """When a guest is started, after its port was applied. A file descriptor with vnet_hdr that the
        hypervisor inherits; the caller closes its copy."""

    def stats(self) -> Mapping[str, PortCounters]:
        """For metering, at any time: counters by port id of the ports that are present."""

    def teardown(self) -> None:
        """When the cloud is removed. Afterwards nothing of it is left on the host."""
