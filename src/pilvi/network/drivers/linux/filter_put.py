"""Puts the data plane's filter in force; what nft refuses is found, shut off and reported, the rest goes on."""

from dataclasses import dataclass, field, replace

from pilvi.network.drivers.linux import nft
from pilvi.network.drivers.linux.port_security import compile_filter
from pilvi.network.drivers.linux.rules import Rules
from pilvi.network.drivers.linux.ruleset import Ruleset, replacement
from pilvi.network.drivers.linux.spaces import OpenSpace
from pilvi.network.drivers.linux.wiring import Owner
from pilvi.network.drivers.protocol import HostState, SecurityGroup


@dataclass(slots=True)
class Outcome:
    ruleset: Ruleset
    is_changed: bool = False
    replaced: Ruleset | None = None
    errors: dict[Owner, str] = field(default_factory=dict)


def put_filter(rules: Rules, space: OpenSpace, state: HostState, shim: str) -> Outcome:
    """NftError when nothing helps; then the rules before are still in force."""
    ruleset, unclear = compile_filter(state, shim)
    errors: dict[Owner, str] = {("security_group", id): text for id, text in unclear.items()}
    if rules.is_settled(space, ruleset):
        return Outcome(ruleset, errors=errors)
    try:
        return Outcome(ruleset, True, rules.put(space, ruleset), errors)
    except nft.NftError:
        healthy, refused = _without_refused(space.name, state, shim)
        if not refused:
            raise
    ruleset, _ = compile_filter(healthy, shim)
    if rules.is_settled(space, ruleset):
        return Outcome(ruleset, errors=errors | refused)
    return Outcome(ruleset, True, rules.put(space, ruleset), errors | refused)


def _without_refused(namespace: str, state: HostState, shim: str) -> tuple[HostState, dict[Owner, str]]:
    """A group that nft refuses becomes one that allows nothing, a port it refuses has no rules: nothing passes."""
    refused: dict[Owner, str] = {}
    members = tuple(replace(group, rules=()) for group in state.security_groups)
    groups = []
    for group in state.security_groups:
        others = tuple(one for one in members if one.id != group.id)
        complaint = _complaint(namespace, HostState(security_groups=(group, *others)), shim)
        if complaint is not None:
            refused["security_group", group.id] = complaint
        groups.append(group if complaint is None else _empty(group))
    ports = []
    for port in state.ports:
        complaint = _complaint(namespace, HostState(ports=(port,)), shim)
        if complaint is None:
            ports.append(port)
        else:
            refused["port", port.id] = complaint
    return replace(state, security_groups=tuple(groups), ports=tuple(ports)), refused


def _empty(group: SecurityGroup) -> SecurityGroup:
    return SecurityGroup(group.id, group.stateful)


def _complaint(namespace: str, state: HostState, shim: str) -> str | None:
    try:
        nft.run(namespace, replacement(compile_filter(state, shim)[0]), check_only=True)
    except nft.NftError as error:
        return f"The kernel refuses its rules, so it allows nothing: {error}"
    return None
