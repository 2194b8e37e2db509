"""What tenants do with networks."""

from typing import Any

from tests.sim.paths import NETWORK
from tests.sim.workload.asking import Asking, Known


class NetworkActions(Asking):
    def make_network(self, who: str, known: Known) -> None:
        if len(known.networks) < 4:
            id = self._make(who, f"{NETWORK}/networks", "network", {"name": self._name("net")}, known.networks)
            if id is not None:
                self._subnet(who, known, id)

    def make_subnet(self, who: str, known: Known) -> None:
        network = self._one(known.networks)
        if network is not None:
            self._subnet(who, known, network)

    def _subnet(self, who: str, known: Known, network: str) -> None:
        octet = self.rng.randrange(1, 60)
        values: dict[str, Any] = {"network_id": network, "ip_version": 4, "cidr": f"10.{octet}.0.0/28"}
        if self.rng.random() < 0.2:
            values = {"network_id": network, "ip_version": 6, "cidr": f"fd00:{octet}::/64",
                      "ipv6_address_mode": "slaac", "ipv6_ra_mode": "slaac"}  # fmt: skip
        self._make(who, f"{NETWORK}/subnets", "subnet", values, known.subnets)

    def change_subnet(self, who: str, known: Known) -> None:
        id = self._one(known.subnets)
        if id is not None:
            body = {
                "subnet": self.rng.choice(
                    ({"enable_dhcp": False}, {"enable_dhcp": True}, {"dns_nameservers": ["198.51.100.1"]})
                )
            }
            self.ask(who, "PUT", f"{NETWORK}/subnets/{id}", body)

    def drop_subnet(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/subnets", known.subnets)

    def drop_network(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/networks", known.networks)

    def rename_network(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{NETWORK}/networks", "network", self._one(known.networks))

    def make_port(self, who: str, known: Known) -> None:
        network = self._one(known.networks)
        if network is not None:
            groups = [self.rng.choice(known.groups)] if known.groups and self.rng.random() < 0.4 else None
            values: dict[str, Any] = {"network_id": network, "name": self._name("port")}
            self._make(
                who, f"{NETWORK}/ports", "port", values | ({"security_groups": groups} if groups else {}), known.ports
            )

    def change_port(self, who: str, known: Known) -> None:
        id = self._one(known.ports)
        if id is None:
            return
        subnet = self._one(known.subnets)
        values: list[dict[str, Any]] = [
            {"admin_state_up": self.rng.random() < 0.6}, {"security_groups": known.groups[:2]},
            {"security_groups": [], "port_security_enabled": False}, {"port_security_enabled": True},
            {"fixed_ips": [{"subnet_id": subnet}] if subnet else []},
            {"allowed_address_pairs": [{"ip_address": "10.99.0.1"}]},
        ]  # fmt: skip
        self.ask(who, "PUT", f"{NETWORK}/ports/{id}", {"port": self.rng.choice(values)})

    def drop_port(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/ports", known.ports)

    def find_ports(self, who: str, known: Known) -> None:
        reply = self.ask(who, "GET", f"{NETWORK}/ports")
        if reply.status == 200:
            known.ports[:] = [
                one["id"] for one in reply.body["ports"] if not one["device_owner"].startswith("network:")
            ]

    def make_router(self, who: str, known: Known) -> None:
        if len(known.routers) < 2:
            gateway = {"network_id": self.public_network}
            values = {"name": self._name("router"), "external_gateway_info": gateway}
            self._make(who, f"{NETWORK}/routers", "router", values, known.routers)

    def plug_router(self, who: str, known: Known) -> None:
        router, subnet = self._one(known.routers), self._one(known.subnets)
        if router is not None and subnet is not None:
            verb = self.rng.choice(("add", "add", "add", "remove"))
            self.ask(who, "PUT", f"{NETWORK}/routers/{router}/{verb}_router_interface", {"subnet_id": subnet})

    def change_router(self, who: str, known: Known) -> None:
        id = self._one(known.routers)
        if id is not None:
            values: list[dict[str, Any]] = [
                {"external_gateway_info": None}, {"external_gateway_info": {"network_id": self.public_network}},
                {"admin_state_up": self.rng.random() < 0.6},
            ]  # fmt: skip
            self.ask(who, "PUT", f"{NETWORK}/routers/{id}", {"router": self.rng.choice(values)})

    def drop_router(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/routers", known.routers)

    def make_floating_ip(self, who: str, known: Known) -> None:
        values: dict[str, Any] = {"floating_network_id": self.public_network}
        port = self._one(known.ports)
        if port is not None and self.rng.random() < 0.5:
            values["port_id"] = port
        self._make(who, f"{NETWORK}/floatingips", "floatingip", values, known.floating_ips)

    def move_floating_ip(self, who: str, known: Known) -> None:
        id = self._one(known.floating_ips)
        if id is not None:
            port = self._one(known.ports) if self.rng.random() < 0.8 else None
            self.ask(who, "PUT", f"{NETWORK}/floatingips/{id}", {"floatingip": {"port_id": port}})

    def drop_port_with_address(self, who: str, known: Known) -> None:
        """A floating IP is pointed to a port, which goes."""
        port = self._one(known.ports)
        if port is not None:
            values = {"floating_network_id": self.public_network, "port_id": port}
            self._make(who, f"{NETWORK}/floatingips", "floatingip", values, known.floating_ips)
            self._drop(who, f"{NETWORK}/ports", [port])

    def drop_floating_ip(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/floatingips", known.floating_ips)

    def make_group(self, who: str, known: Known) -> None:
        if len(known.groups) < 4:
            values = {"name": self._name("group")}
            self._make(who, f"{NETWORK}/security-groups", "security_group", values, known.groups)

    def make_rule(self, who: str, known: Known) -> None:
        group = self._one(known.groups)
        if group is not None:
            port = self.rng.randrange(1, 2000)
            values: dict[str, Any] = {"security_group_id": group, "direction": "ingress", "protocol": "tcp",
                                      "port_range_min": port, "port_range_max": port}  # fmt: skip
            if self.rng.random() < 0.4:
                values["remote_group_id"] = self._one(known.groups)
            self._make(who, f"{NETWORK}/security-group-rules", "security_group_rule", values, known.rules)

    def drop_rule(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/security-group-rules", known.rules)

    def rename_port(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{NETWORK}/ports", "port", self._one(known.ports))

    def rename_router(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{NETWORK}/routers", "router", self._one(known.routers))

    def rename_group(self, who: str, known: Known) -> None:
        self.registers.exercise(self, who, f"{NETWORK}/security-groups", "security_group", self._one(known.groups))

    def drop_group(self, who: str, known: Known) -> None:
        self._drop(who, f"{NETWORK}/security-groups", known.groups)
