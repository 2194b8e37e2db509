"""Finding, showing and listing servers."""

import re
from typing import Any

from pilvi.compute.quotas import service as quotas
from pilvi.compute.servers import policy, store
from pilvi.compute.servers.model import FROM_STATUS, OTHER_STATUSES, Server
from pilvi.kernel import clock, hosts
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.policy import Rule
from pilvi.kernel.query import Query
from pilvi.kernel.wire import boolean
from pilvi.network import facade as network

quotas.usage.append(store.usage)

COLUMNS = {
    "user_id": "user_id", "project_id": "project_id", "tenant_id": "project_id", "launch_index": "launch_index",
    "image": "image_id", "hostname": "hostname", "key_name": "key_name", "power_state": "power_state",
    "vm_state": "vm_state", "task_state": "task_state", "host": "host", "node": "host",
    "reservation_id": "reservation_id", "availability_zone": "availability_zone", "uuid": "id",
    "access_ip_v4": "access_ip_v4", "access_ip_v6": "access_ip_v6", "description": "description",
    "created_at": "created_at", "launched_at": "launched_at", "locked_by": "locked_by",
}  # fmt: skip
"""Filters that are an equality on a column."""

EVERYONE = {"reservation_id", "name", "status", "image", "flavor", "changes-since", "all_tenants", "ip"}
SINCE = {"ip6": 5, "tags": 26, "tags-any": 26, "not-tags": 26, "not-tags-any": 26}
"""Filters that everyone may use from a microversion on."""


def missing(id: str) -> NotFound:
    return NotFound(f"Instance {id} could not be found.")


def find(tx: Tx, id: str) -> Server | None:
    return store.find(tx, id)


def get(ctx: Context, tx: Tx, id: str, rule: Rule) -> Server:
    """The server, for this rule. Somebody else's server does not exist."""
    server = store.find(tx, id)
    if server is None:
        rule.allows(ctx, project_id=ctx.project_id)
        raise missing(id)
    if ctx.project_id != server.project_id and not ctx.is_admin:
        rule.allows(ctx, project_id=server.project_id)
        raise missing(id)
    rule.check(ctx, project_id=server.project_id)
    ctx.about("server", server.id, server.name)
    return server


def with_nics(tx: Tx, servers: list[Server]) -> list[Server]:
    """Fill in the addresses of all of them at once."""
    nics = network.nics_of(tx, [server.id for server in servers]) if servers else {}
    for server in servers:
        server.nics = nics.get(server.id, [])
    return servers


def show(ctx: Context, tx: Tx, id: str) -> Server:
    return with_nics(tx, [get(ctx, tx, id, policy.SHOW)])[0]


def reread(tx: Tx, id: str) -> Server:
    server = store.find(tx, id)
    assert server is not None
    return with_nics(tx, [server])[0]


def on_host(tx: Tx, host: str) -> list[Server]:
    return store.on_host(tx, host)


def transitional(tx: Tx) -> list[str]:
    return store.in_transition(tx)


def usage_of_host(tx: Tx, host: str) -> tuple[int, int, int]:
    return store.usage_of_host(tx, host)


def host_needs_image(tx: Tx, host: str, image_id: str) -> bool:
    return store.host_needs_image(tx, host, image_id)


def list_(ctx: Context, tx: Tx, query: Query, *, details: bool) -> Page[Server]:
    (policy.DETAIL if details else policy.LIST).check(ctx, project_id=ctx.project_id)
    conditions = _conditions(ctx, tx, query)
    marker = None
    if query.get("marker"):
        marker = store.find(tx, query.get("marker") or "")
        if marker is None:
            raise BadRequest(f"marker [{query.get('marker')}] not found")
    page = store.page(tx, conditions, sort=_sort(query), marker=marker, limit=query.limit())
    if details:
        with_nics(tx, page.items)
    return page


def _sort(query: Query) -> list[tuple[str, bool]]:
    keys, directions = query.all("sort_key"), query.all("sort_dir")
    for key in keys:
        if key not in store.SORT_KEYS:
            raise BadRequest(
                f"Invalid input for query parameters sort_key. {key!r} is not one of {list(store.SORT_KEYS)}"
            )
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise BadRequest("Invalid input for query parameters sort_dir. Use asc or desc.")
    padded = directions + [directions[-1] if directions else "desc"] * len(keys)
    return [(key, padded[i] == "desc") for i, key in enumerate(keys)]


def _conditions(ctx: Context, tx: Tx, query: Query) -> list[Any]:
    admin = policy.ALL_FILTERS.allows(ctx)
    everyone = EVERYONE | {name for name, since in SINCE.items() if ctx.version >= since}
    conditions: list[Any] = []
    everywhere = _all_projects(ctx, query)
    if not everywhere:
        conditions.append(store.condition("project_id", [ctx.project_id]))
    for name in query:
        if not admin and name not in everyone:
            continue
        if not everywhere and name in ("project_id", "tenant_id"):
            continue
        conditions += _one(ctx, tx, name, query.all(name))
    return conditions


def _all_projects(ctx: Context, query: Query) -> bool:
    if "all_tenants" not in query:
        return False
    if not query.flag("all_tenants"):
        return False
    policy.ALL_PROJECTS.check(ctx)
    return True


def _one(ctx: Context, tx: Tx, name: str, values: list[str]) -> list[Any]:
    match name:
        case "name":
            _regex(values[-1], name)
            return (
                [store.condition("name_part", [values[-1]])]
                if _plain(values[-1])
                else _by_regex(tx, "name", values[-1])
            )
        case "status":
            return [store.condition("states", _states(ctx, values))]
        case "changes-since" | "changes-before":
            return [store.condition(name.replace("-", "_"), [_time(values[-1], name)])]
        case "flavor":
            return [store.condition("flavor_id", [values[-1]])]
        case "ip" | "ip6":
            _regex(values[-1], name)
            return [store.condition("id", network.servers_with_ip(tx, values[-1], 6 if name == "ip6" else 4))]
        case "locked":
            return [store.condition("locked", [boolean(values[-1])])] if ctx.version >= 9 else []
        case "config_drive":
            return [store.condition("config_drive", [boolean(values[-1])])]
        case "deleted" | "soft_deleted":
            return [store.condition("nothing", [])] if boolean(values[-1]) else []
        case "tags" | "tags-any" | "not-tags" | "not-tags-any":
            return _tags(name, values[-1].split(","))
    column = COLUMNS.get(name)
    if column is None:
        return []
    if column in ("launch_index", "power_state"):
        return [store.condition(column, [int(v) for v in values if v.isdigit()])]
    return [store.condition(column, list(values))]


def _tags(name: str, tags: list[str]) -> list[Any]:
    having = [store.tag_condition(tag) for tag in tags]
    if name.endswith("any"):
        joined = store.any_of(having)
        return [store.negated(joined)] if name.startswith("not") else [joined]
    joined = store.all_of(having)
    return [store.negated(joined)] if name.startswith("not") else [joined]


def _plain(text: str) -> bool:
    return re.escape(text) == text or not re.search(r"[\^$*+?{}\[\]|()\\]", text)


def _regex(text: str, name: str) -> None:
    try:
        re.compile(text)
    except re.error:
        raise BadRequest(f"Invalid regular expression in the filter {name}: {text}") from None


def _by_regex(tx: Tx, column: str, text: str) -> list[Any]:
    """A pattern that SQL cannot match: names are matched here, in the same case-insensitive way."""
    pattern = re.compile(text[:255], re.IGNORECASE)
    found = [id for id, name in store.names(tx) if pattern.search(name)]
    return [store.condition("id", found)]


def _states(ctx: Context, words: list[str]) -> list[Any]:
    found = []
    for word in words:
        known = FROM_STATUS.get(word.upper())
        if known is not None:
            found.append((str(known[0]), known[1]))
        elif word.upper() not in OTHER_STATUSES and ctx.version >= 38:
            raise BadRequest(f"Invalid status value: {word}")
        elif word.upper() == "DELETED" and not ctx.is_admin:
            raise Forbidden("Only administrators can list deleted servers.")
    return found


def _time(text: str, name: str) -> str:
    try:
        return clock.timestamp(clock.parse(text))
    except ValueError:
        raise BadRequest(f"Invalid input for query parameters {name}: {text!r} is not an ISO 8601 time.") from None


def replace_metadata(tx: Tx, server: Server, metadata: dict[str, str]) -> None:
    store.update(tx, server.id, {"metadata": metadata, "updated_at": clock.timestamp()})
    if server.host:
        hosts.changed(tx, server.host)


def replace_tags(tx: Tx, server: Server, tags: list[str]) -> None:
    store.update(tx, server.id, {"tags": tags, "updated_at": clock.timestamp()})
