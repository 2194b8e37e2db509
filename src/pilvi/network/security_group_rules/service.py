"""The verbs of security group rules. A rule is never changed, only made and deleted."""

from collections.abc import Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query
from pilvi.network.quotas import service as quotas
from pilvi.network.security_group_rules import policy, store
from pilvi.network.security_group_rules.model import SecurityGroupRule, check, ethertype_of, protocol_of
from pilvi.network.security_groups import service as groups
from pilvi.network.security_groups.model import DEFAULT, SecurityGroup
from pilvi.network.standard.model import conflict, fresh, missing
from pilvi.network.standard.service import check_revision

quotas.usage["security_group_rule"] = store.count

referring = store.referring
change = store.change
of_groups = store.of_groups


def _first_rules(tx: Tx, group: SecurityGroup) -> None:
    """Everything may go out; in the default group everything may come in from the group itself."""
    for ethertype in ("IPv4", "IPv6"):
        if group.name == DEFAULT:
            store.add(tx, _rule(group, direction="ingress", ethertype=ethertype, remote_group_id=group.id))
        store.add(tx, _rule(group, direction="egress", ethertype=ethertype))


def _rule(group: SecurityGroup, **values: Any) -> SecurityGroupRule:
    rest = {
        "protocol": None, "port_range_min": None, "port_range_max": None, "remote_ip_prefix": None,
        "remote_group_id": None, "description": "",
    } | values  # fmt: skip
    return SecurityGroupRule(
        **fresh(group.project_id, description=rest.pop("description")), security_group_id=group.id, **rest
    )


def rules_of(tx: Tx, group_ids: list[str]) -> dict[str, list[SecurityGroupRule]]:
    found: dict[str, list[SecurityGroupRule]] = {}
    defaults = groups.default_ids(tx, group_ids)
    for rule in store.of_groups(tx, group_ids):
        rule.is_default = rule.security_group_id in defaults
        found.setdefault(rule.security_group_id, []).append(rule)
    return found


groups.first_rules.append(_first_rules)
groups.rules_of.append(rules_of)
groups.forget_rules.append(store.delete_of_group)


def get(ctx: Context, tx: Tx, id: str) -> SecurityGroupRule:
    found = store.find(tx, id)
    if found is None or not (ctx.is_admin or found.project_id == ctx.project_id):
        raise missing("SecurityGroupRule", id)
    found.is_default = groups.is_default(tx, found.security_group_id)
    return found


def list_(ctx: Context, tx: Tx, query: Query) -> Page[SecurityGroupRule]:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    if ctx.project_id:
        groups.ensure_default(tx, ctx.project_id)
    page = store.page(tx, query, [] if ctx.is_admin else [store.owned(ctx.project_id)])
    defaults = groups.default_ids(tx, list({rule.security_group_id for rule in page.items})) if page.items else set()
    for rule in page.items:
        rule.is_default = rule.security_group_id in defaults
    return page


def show(ctx: Context, tx: Tx, id: str) -> SecurityGroupRule:
    policy.SHOW.check(ctx, project_id=ctx.project_id)
    return get(ctx, tx, id)


def create(ctx: Context, tx: Tx, values: Mapping[str, Any]) -> SecurityGroupRule:
    group = groups.get(ctx, tx, values["security_group_id"])
    policy.CREATE.check(ctx, project_id=group.project_id)
    if values["remote_group_id"] is not None:
        groups.get(ctx, tx, values["remote_group_id"])
    rule = _rule(
        group, direction=values["direction"], ethertype=ethertype_of(values["ethertype"]),
        protocol=protocol_of(values["protocol"]), port_range_min=values["port_range_min"],
        port_range_max=values["port_range_max"], remote_ip_prefix=values["remote_ip_prefix"],
        remote_group_id=values["remote_group_id"], description=values["description"],
    )  # fmt: skip
    check(rule)
    quotas.reserve(tx, group.project_id, "security_group_rule")
    tx.lock("security group", group.id)
    for other in store.of_groups(tx, [group.id]):
        if other.meaning == rule.meaning:
            raise conflict("SecurityGroupRuleExists", f"Security group rule already exists. Rule id is {other.id}.")
    store.add(tx, rule)
    rule.is_default = groups.is_default(tx, group.id)
    _tell(tx, group.id)
    ctx.about("security_group_rule", rule.id)
    return rule


def _tell(tx: Tx, group_id: str) -> None:
    for tell in groups.changed:
        tell(tx, {group_id})


def delete(ctx: Context, tx: Tx, id: str) -> None:
    rule = get(ctx, tx, id)
    policy.DELETE.check(ctx, project_id=rule.project_id)
    check_revision(ctx, rule)
    store.delete(tx, id)
    _tell(tx, rule.security_group_id)
    ctx.about("security_group_rule", id)
