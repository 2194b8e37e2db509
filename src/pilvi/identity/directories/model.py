"""How a domain's directory is asked, from the options of its configuration; and what its entries say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pilvi.identity.domain_configs.model import DEFAULTS, Config
from pilvi.identity.issuers import LOOPBACK
from pilvi.kernel.errors import Unavailable

ENTRIES_LIMIT = 50_000
"""Users, and groups, of one domain."""
POOL_LIMIT = 32
TRUE = frozenset({"true", "1", "yes", "on"})
FALSE = frozenset({"false", "0", "no", "off"})

Attributes = Mapping[str, Sequence[str]]
"""The attributes of one entry, names in lower case, as texts."""


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    is_tls: bool


@dataclass(frozen=True, slots=True)
class Kind:
    """Where entries of one kind are, and what their attributes are called."""

    base: str
    object_class: str
    more_filter: str
    id: str
    name: str
    others: Mapping[str, str]
    """Directory's attribute → ours."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything needed to ask one directory. Hashable by domain and text, so that a change makes another one."""

    domain_id: str
    servers: tuple[Server, ...]
    bind_dn: str | None
    bind_password: str | None = field(repr=False)
    whole_subtree: bool
    page_size: int
    users: Kind
    groups: Kind
    member: str
    members_are_ids: bool
    enabled: str
    enabled_mask: int
    enabled_invert: bool
    enabled_default: str
    enabled_group_dn: str
    ca_file: str | None
    start_tls: bool
    connect_s: float
    pool_size: int
    auth_pool_size: int
    pool_lifetime_s: float


@dataclass(frozen=True, slots=True)
class Person:
    local_id: str
    dn: str
    name: str
    enabled: bool
    extra: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Team:
    local_id: str
    dn: str
    name: str
    description: str
    members: tuple[str, ...]
    """Names of entries, or local ids of users where the directory keeps those."""


class Unusable(Unavailable):
    """The configuration of a domain's directory makes no sense; an administrator must look."""


def plan(domain_id: str, config: Config) -> Plan:
    """Read the options; raises Unusable with the option that is wrong."""
    given = {**DEFAULTS["ldap"], **config.get("ldap", {})}
    option = _Options(domain_id, given)
    suffix = option.text("suffix")
    return Plan(
        domain_id=domain_id, servers=_servers(option), bind_dn=option.text("user") or None,
        bind_password=option.text("password") or None, whole_subtree=option.text("query_scope") == "sub",
        page_size=min(option.number("page_size") or 500, 1000),
        users=Kind(
            option.text("user_tree_dn") or f"ou=Users,{suffix}", option.text("user_objectclass"),
            _parenthesised(option.text("user_filter")), option.text("user_id_attribute"),
            option.text("user_name_attribute"), _others(option, "user"),
        ),
        groups=Kind(
            option.text("group_tree_dn") or f"ou=UserGroups,{suffix}", option.text("group_objectclass"),
            _parenthesised(option.text("group_filter")), option.text("group_id_attribute"),
            option.text("group_name_attribute"), {option.text("group_desc_attribute"): "description"},
        ),
        member=option.text("group_member_attribute"), members_are_ids=option.flag("group_members_are_ids"),
        enabled=option.text("user_enabled_attribute"), enabled_mask=option.number("user_enabled_mask"),
        enabled_invert=option.flag("user_enabled_invert"), enabled_default=option.text("user_enabled_default"),
        enabled_group_dn=_enabled_group(option), ca_file=option.text("tls_cacertfile") or None,
        start_tls=option.flag("use_tls"), connect_s=_bounded(option.number("connection_timeout"), 5, 30),
        pool_size=int(_bounded(option.number("pool_size"), 4, POOL_LIMIT)),
        auth_pool_size=int(_bounded(option.number("auth_pool_size"), 8, POOL_LIMIT)),
        pool_lifetime_s=_bounded(option.number("pool_connection_lifetime"), 600, 3600),
    )  # fmt: skip


class _Options:
    def __init__(self, domain_id: str, given: Mapping[str, Any]) -> None:
        self.domain_id, self.given = domain_id, given

    def wrong(self, name: str, why: str) -> Unusable:
        return Unusable(f"The directory of domain {self.domain_id} cannot be asked: option {name} {why}.")

    def text(self, name: str) -> str:
        value = self.given[name]
        return "" if value is None else str(value).strip()

    def flag(self, name: str) -> bool:
        value = self.text(name).lower()
        if value not in TRUE | FALSE:
            raise self.wrong(name, "must be true or false")
        return value in TRUE

    def number(self, name: str) -> int:
        try:
            return int(self.text(name) or 0)
        except ValueError:
            raise self.wrong(name, "must be a whole number") from None


def _bounded(value: int, default: float, most: float) -> float:
    return min(float(value), most) if value > 0 else default


def _parenthesised(text: str) -> str:
    return f"({text})" if text and not text.startswith("(") else text


def _others(option: _Options, kind: str) -> dict[str, str]:
    """`mail:email` and what else a site maps; attributes to be ignored are left out."""
    found = {option.text("user_mail_attribute"): "email", option.text("user_description_attribute"): "description"}
    for pair in option.text(f"{kind}_additional_attribute_mapping").split(","):
        theirs, _, ours = pair.strip().partition(":")
        if theirs and ours:
            found[theirs] = ours
    ignored = {name.strip() for name in option.text(f"{kind}_attribute_ignore").split(",")}
    return {theirs: ours for theirs, ours in found.items() if theirs and ours not in ignored}


def _enabled_group(option: _Options) -> str:
    if not option.flag("user_enabled_emulation"):
        return ""
    return option.text("user_enabled_emulation_dn") or f"cn=enabled_users,{option.text('user_tree_dn')}"


def _servers(option: _Options) -> tuple[Server, ...]:
    """Each URL of the list; a password never crosses the network readable, and a certificate is always checked."""
    if option.text("tls_req_cert") not in ("demand", "hard"):
        raise option.wrong("tls_req_cert", "must be demand: a certificate that nobody checks protects nothing")
    found = []
    for url in option.text("url").split(","):
        parts = urlsplit(url.strip())
        if parts.scheme not in ("ldap", "ldaps") or not parts.hostname:
            raise option.wrong("url", "must be like ldaps://directory.example")
        is_tls = parts.scheme == "ldaps"
        if not is_tls and not option.flag("use_tls") and not LOOPBACK.match(parts.hostname):
            raise option.wrong("url", "is clear text: use ldaps:// or set use_tls, for passwords cross the network")
        found.append(Server(parts.hostname, parts.port or (636 if is_tls else 389), is_tls))
    return tuple(found)


# ---- what entries say --------------------------------------------------------------------------------------------


def person(plan: Plan, dn: str, attributes: Attributes, enabled_dns: frozenset[str] | None) -> Person | None:
    """A user, or None for an entry without an id or a name."""
    local_id, name = _one(attributes, plan.users.id), _one(attributes, plan.users.name)
    if not local_id or not name:
        return None
    enabled = _enabled(plan, attributes) if enabled_dns is None else plain_dn(dn) in enabled_dns
    return Person(local_id, dn, name[:255], enabled, _extra(plan.users, attributes))


def team(plan: Plan, dn: str, attributes: Attributes) -> Team | None:
    local_id, name = _one(attributes, plan.groups.id), _one(attributes, plan.groups.name)
    name = name or local_id
    if not local_id:
        return None
    members = attributes.get(plan.member.lower(), ())
    named = tuple(members if plan.members_are_ids else map(plain_dn, members))
    return Team(local_id, dn, name[:64], str(_extra(plan.groups, attributes).get("description", "")), named)


def plain_dn(dn: str) -> str:
    """A name as it can be compared: no matter how it is spaced and capitalised."""
    return ",".join(part.strip().lower() for part in dn.split(","))


def _one(attributes: Attributes, name: str) -> str:
    values = attributes.get(name.lower(), ())
    return values[0].strip() if values else ""


def _extra(kind: Kind, attributes: Attributes) -> dict[str, Any]:
    found = {}
    for theirs, ours in kind.others.items():
        values = attributes.get(theirs.lower(), ())
        if values:
            found[ours] = values[0] if len(values) == 1 else list(values)
    return found


def _enabled(plan: Plan, attributes: Attributes) -> bool:
    """Strict: what is neither yes nor no counts as no, so that nobody slips in by an odd value."""
    text = _one(attributes, plan.enabled) or plan.enabled_default
    if plan.enabled_mask:
        try:
            return not int(text) & plan.enabled_mask
        except ValueError:
            return False
    if plan.enabled_invert:
        return text.lower() in FALSE
    return text.lower() in TRUE
