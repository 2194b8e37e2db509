"""Which hosts must look again when ports, groups or networks change."""

from collections.abc import Iterable

from pilvi.kernel import hosts
from pilvi.kernel.db import Tx
from pilvi.network.networks import service as networks
from pilvi.network.ports import store
from pilvi.network.ports.model import Port
from pilvi.network.security_group_rules import service as rules
from pilvi.network.security_groups import service as groups


def touch_networks(tx: Tx, network_ids: Iterable[str]) -> None:
    """Every host where such a network is must look again."""
    for host in store.hosts_of_networks(tx, list(network_ids)):
        hosts.changed(tx, host)


def touch_groups(tx: Tx, group_ids: set[str]) -> None:
    """The rules of groups changed: hosts that enforce them, or rules about them, must look again."""
    told = group_ids | rules.referring(tx, list(group_ids))
    for host in store.hosts_of_groups(tx, list(told)):
        hosts.changed(tx, host)


def touch(tx: Tx, port: Port, *, members: bool = True) -> None:
    """A port changed: its own host, and those whose rules know its group by its addresses."""
    if not port.host:
        return
    hosts.changed(tx, port.host)
    if members and port.security_groups:
        referring = rules.referring(tx, port.security_groups)
        for host in store.hosts_of_groups(tx, list(referring)) if referring else []:
            hosts.changed(tx, host)


groups.changed.append(touch_groups)
networks.changed.append(lambda tx, network_id: touch_networks(tx, [network_id]))
