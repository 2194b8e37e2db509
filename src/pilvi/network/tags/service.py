"""The verbs of tags, the same for every kind of resource."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotFound
from pilvi.kernel.policy import Rule
from pilvi.network.address_scopes import service as address_scopes
from pilvi.network.floating_ips import service as floating_ips
from pilvi.network.networks import service as networks
from pilvi.network.ports import service as ports
from pilvi.network.routers import service as routers
from pilvi.network.security_group_rules import service as rules
from pilvi.network.security_groups import service as groups
from pilvi.network.standard.model import Standard, tags_of, tags_text
from pilvi.network.standard.service import check_revision
from pilvi.network.subnetpools import service as subnetpools
from pilvi.network.subnets import service as subnets
from pilvi.network.tags import policy
from pilvi.network.tags.model import check_tags


@dataclass(frozen=True, slots=True)
class Kind:
    """How a resource is found with its owner's eyes, and how its tags are written."""

    get: Callable[[Context, Tx, str], Standard]
    change: Callable[[Tx, str, Mapping[str, Any]], None]


KINDS: dict[str, Kind] = {
    "network": Kind(networks.get, networks.change),
    "subnet": Kind(subnets.get, subnets.change),
    "port": Kind(ports.show, ports.change),
    "router": Kind(routers.get, routers.change),
    "floatingip": Kind(floating_ips.get, floating_ips.change),
    "security_group": Kind(groups.get, groups.change),
    "security_group_rule": Kind(rules.get, rules.change),
    "subnetpool": Kind(subnetpools.get, subnetpools.change),
    "address_scope": Kind(address_scopes.get, address_scopes.change),
}


def _get(ctx: Context, tx: Tx, kind: str, id: str, rule: Rule, *, writes: bool) -> Standard:
    found = KINDS[kind].get(ctx, tx, id)
    rule.check(ctx, project_id=found.project_id if writes else ctx.project_id)
    return found


def _put(ctx: Context, tx: Tx, kind: str, found: Standard, tags: Sequence[str]) -> list[str]:
    check_revision(ctx, found)
    text = tags_text(check_tags(tags))
    if text != found.tags:
        KINDS[kind].change(tx, found.id, {"tags": text})
    ctx.about(kind, found.id, found.name)
    return tags_of(text)


def list_(ctx: Context, tx: Tx, kind: str, id: str) -> list[str]:
    return tags_of(_get(ctx, tx, kind, id, policy.SHOW[kind], writes=False).tags)


def show(ctx: Context, tx: Tx, kind: str, id: str, tag: str) -> None:
    if tag not in list_(ctx, tx, kind, id):
        raise _missing(tag)


def _missing(tag: str) -> NotFound:
    return NotFound(f"Tag {tag} could not be found.", type="TagNotFound")


def add(ctx: Context, tx: Tx, kind: str, id: str, tags: Sequence[str]) -> list[str]:
    found = _get(ctx, tx, kind, id, policy.CREATE[kind], writes=True)
    return _put(ctx, tx, kind, found, [*tags_of(found.tags), *tags])


def replace(ctx: Context, tx: Tx, kind: str, id: str, tags: Sequence[str]) -> list[str]:
    found = _get(ctx, tx, kind, id, policy.UPDATE[kind], writes=True)
    return _put(ctx, tx, kind, found, tags)


def add_one(ctx: Context, tx: Tx, kind: str, id: str, tag: str) -> None:
    found = _get(ctx, tx, kind, id, policy.UPDATE[kind], writes=True)
    _put(ctx, tx, kind, found, [*tags_of(found.tags), tag])


def remove(ctx: Context, tx: Tx, kind: str, id: str, tags: Sequence[str] | None) -> None:
    """These tags, or without any given all of them."""
    found = _get(ctx, tx, kind, id, policy.DELETE[kind], writes=True)
    present = tags_of(found.tags)
    for tag in tags or ():
        if tag not in present:
            raise _missing(tag)
    _put(ctx, tx, kind, found, [] if tags is None else [tag for tag in present if tag not in tags])
