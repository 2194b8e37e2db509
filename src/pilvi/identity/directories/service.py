"""Mirrors what a directory says into users, groups and memberships. Ids here are made of the directory's own and never
change. Whoever vanishes there is disabled here and keeps the grants: a wrong answer must not cost rights for good."""

from collections.abc import Iterable, Sequence

from pilvi.identity import deletions, settings
from pilvi.identity.directories import store
from pilvi.identity.directories.model import Person, Plan, Team, plain_dn, plan
from pilvi.identity.directories.store import Known
from pilvi.identity.domain_configs import service as domain_configs
from pilvi.identity.domain_configs.model import is_directory
from pilvi.identity.federated_logins.model import public_id
from pilvi.identity.groups import service as groups
from pilvi.identity.groups.model import Group
from pilvi.identity.projects import service as projects
from pilvi.identity.users import service as users
from pilvi.identity.users.model import DIRECTORY, User
from pilvi.kernel.db import Tx

USER, GROUP = "user", "group"


def domains(tx: Tx) -> list[str]:
    """The domains that are directories, or were and still have somebody."""
    return sorted(id for id, config in domain_configs.everything(tx) if is_directory(config))


def plan_of(tx: Tx, domain_id: str) -> Plan | None:
    """How to ask the domain's directory; None when it has none."""
    config = domain_configs.find(tx, domain_id)
    return plan(domain_id, config) if is_directory(config) else None


def local_id_of(tx: Tx, user: User) -> str:
    """What the directory calls a user; empty for somebody whom it does not know any more."""
    known = store.find(tx, user.id) if user.origin == DIRECTORY else None
    return known.local_id if known is not None else ""


# ---- users -------------------------------------------------------------------------------------------------------


def take_people(tx: Tx, domain_id: str, people: Iterable[Person]) -> list[str]:
    """Mirror these users; their ids here."""
    return [_take_person(tx, domain_id, one) for one in people]


def _take_person(tx: Tx, domain_id: str, one: Person) -> str:
    id = public_id("directory", domain_id, USER, one.local_id)
    known, user = Known(id, domain_id, USER, one.local_id, plain_dn(one.dn)), users.find(tx, id)
    _make_room(tx, domain_id, one.name, id)
    if user is None:
        made = User(
            id, one.name, domain_id, one.enabled, None, None, None, None, 0, 0.0, 0, extra=one.extra, origin=DIRECTORY
        )
        users.add(tx, made, settings.current.passwords)
    else:
        users.refresh(tx, user, name=one.name, extra=one.extra, enabled=one.enabled, origin=DIRECTORY)
    if store.find(tx, id) != known:
        store.put(tx, known)
    return id


def _make_room(tx: Tx, domain_id: str, name: str, id: str) -> None:
    """Somebody else who had this name is called otherwise by now, or gone: their own turn says so."""
    other = users.find_named(tx, domain_id, name)
    if other is not None and other.id != id and other.origin == DIRECTORY:
        users.refresh(tx, other, name=other.id, extra={})


def vanished(tx: Tx, domain_id: str, kind: str, present: Sequence[str]) -> list[Known]:
    """Mirrored entries that a complete answer did not have."""
    there = set(present)
    return [known for known in store.of_domain(tx, domain_id, kind) if known.local_id not in there]


def let_go_people(tx: Tx, gone: Iterable[Known]) -> None:
    for known in gone:
        user = users.find(tx, known.id)
        if user is not None:
            users.refresh(tx, user, name=user.name, extra={}, enabled=False, origin=user.id)
        store.forget(tx, id=known.id)


# ---- groups ------------------------------------------------------------------------------------------------------


def take_teams(tx: Tx, domain_id: str, teams: Iterable[Team], ids: dict[str, str]) -> list[str]:
    """Mirror these groups with their members, which `ids` finds by what the directory calls them."""
    return [_take_team(tx, domain_id, one, ids) for one in teams]


def _take_team(tx: Tx, domain_id: str, one: Team, ids: dict[str, str]) -> str:
    id = _team_row(tx, domain_id, one)
    groups.put_members(tx, id, [ids[name] for name in one.members if name in ids])
    return id


def _team_row(tx: Tx, domain_id: str, one: Team) -> str:
    id = public_id("directory", domain_id, GROUP, one.local_id)
    known, other = (
        Known(id, domain_id, GROUP, one.local_id, plain_dn(one.dn)),
        groups.find_named(tx, domain_id, one.name),
    )
    if other is not None and other.id != id and other.origin == DIRECTORY:
        groups.refresh(tx, other, name=other.id, description=other.description, origin=DIRECTORY)
    group = groups.find(tx, id)
    if group is None:
        groups.add(tx, Group(id, one.name, domain_id, one.description, origin=DIRECTORY))
    else:
        groups.refresh(tx, group, name=one.name, description=one.description, origin=DIRECTORY)
    if store.find(tx, id) != known:
        store.put(tx, known)
    return id


def let_go_teams(tx: Tx, gone: Iterable[Known]) -> None:
    for known in gone:
        group = groups.find(tx, known.id)
        if group is not None:
            groups.put_members(tx, group.id, [])
            groups.refresh(tx, group, name=group.name, description=group.description, origin=group.id)
        store.forget(tx, id=known.id)


def names_of_people(tx: Tx, plan: Plan) -> dict[str, str]:
    """What groups call the users → their ids here."""
    known = store.of_domain(tx, plan.domain_id, USER)
    return {one.local_id if plan.members_are_ids else one.dn: one.id for one in known}


def take_login(tx: Tx, domain_id: str, who: Person, teams: Iterable[Team]) -> str:
    """Somebody proved who they are: they and their groups as of now."""
    tx.lock("directory", domain_id)
    id = _take_person(tx, domain_id, who)
    wanted = {_team_row(tx, domain_id, one) for one in teams}
    mirrored = {known.id for known in store.of_domain(tx, domain_id, GROUP)}
    groups.put_groups_of(tx, id, wanted, among=mirrored)
    return id


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    store.forget(tx, domain_id=domain_id)


def has_domain(tx: Tx, domain_id: str) -> bool:
    return projects.find(tx, domain_id) is not None


def stop(tx: Tx, domain_id: str) -> None:
    """The domain is no directory any more: nobody of it gets in."""
    let_go_people(tx, store.of_domain(tx, domain_id, USER))
    let_go_teams(tx, store.of_domain(tx, domain_id, GROUP))


def leftovers(tx: Tx) -> list[str]:
    """Domains with mirrored entries and no directory."""
    return sorted(set(store.domains(tx)) - set(domains(tx)))
