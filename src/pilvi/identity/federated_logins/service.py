"""Makes a provider's word into a user, memberships, grants and a token."""

from dataclasses import asdict
from typing import Any

import orjson
from cryptography.fernet import InvalidToken

from pilvi.identity import settings
from pilvi.identity.domains import service as domains
from pilvi.identity.federated_logins.model import Door, Sso, method_of, public_id
from pilvi.identity.groups import service as groups
from pilvi.identity.identity_providers import service as identity_providers
from pilvi.identity.keys import service as keys
from pilvi.identity.logins.model import missing_methods
from pilvi.identity.mappings import service as mappings
from pilvi.identity.mappings.model.engine import Mapped, MappedGroup, MappedProject, MappedUser, Place, wrong
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.rights import service as rights
from pilvi.identity.rights.model import Validated
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.role_assignments.model import Assignment
from pilvi.identity.roles import service as roles
from pilvi.identity.tokens import service as tokens
from pilvi.identity.users import service as users
from pilvi.identity.users.model import User, must_note_activity
from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Unauthorized


def door(tx: Tx, idp_id: str, protocol_id: str) -> Door:
    """An enabled provider with its protocol and mapping."""
    provider, protocol = identity_providers.entrance(tx, idp_id, protocol_id)
    return Door(provider, protocol, mappings.get(tx, protocol.mapping_id))


def door_for_protocol(tx: Tx, protocol_id: str) -> Door:
    """The one provider with this protocol that the operator configured; a browser that names none means it."""
    open_ones = [p for p in identity_providers.with_protocol(tx, protocol_id) if p.id in settings.current.issuers]
    if len(open_ones) != 1:
        raise BadRequest(
            f"{len(open_ones)} identity providers with the protocol {protocol_id} are set up; name one: "
            f"/v3/auth/OS-FEDERATION/identity_providers/ID/protocols/{protocol_id}/websso."
        )
    return door(tx, open_ones[0].id, protocol_id)


def check_issuer(door: Door, issuer: str) -> None:
    """Where the provider lists its remote ids, the word must come from one of them."""
    if door.provider.remote_ids and issuer not in door.provider.remote_ids:
        raise Unauthorized(f"{issuer} is not among the remote ids of the identity provider {door.provider.id}.")


# ---- who it is ---------------------------------------------------------------------------------------------------


def admit(tx: Tx, door: Door, mapped: Mapped) -> tuple[str, Validated]:
    """The token of whom the mapping named."""
    user = _local_user(tx, door, mapped.user) if mapped.user.is_local else _shadow(tx, door, mapped.user)
    rights.enabled_user(tx, user.id)
    method = method_of(door.protocol.id)
    if missing_methods(user, [method]):
        raise Unauthorized("The rules of this account ask for other methods than this identity provider.")
    if not mapped.user.is_local:
        _join(tx, door, user, mapped.groups)
    for project in mapped.projects:
        _provision(tx, door, user, project)
    if must_note_activity(user, settings.current.passwords, clock.now()):
        users.note_activity(tx, user.id)
    return tokens.issue(tx, tokens.through(tokens.fresh(user.id, [method]), door.provider.id, door.protocol.id))


def _domain(tx: Tx, door: Door, place: Place) -> Project:
    """The domain that a mapping means; raises Unauthorized when there is none."""
    found = domains.find(tx, id=place.id or door.provider.domain_id) if not place.name else None
    found = found or (domains.find(tx, name=place.name) if place.name else None)
    if found is None:
        raise wrong(f"there is no domain {place.id or place.name or door.provider.domain_id}")
    return found


def _local_user(tx: Tx, door: Door, mapped: MappedUser) -> User:
    if mapped.id:
        found = users.find(tx, mapped.id)
    else:
        found = users.find_named(tx, _domain(tx, door, mapped.domain).id, mapped.name)
    if found is None:
        raise rights.refused()
    return found


def _shadow(tx: Tx, door: Door, mapped: MappedUser) -> User:
    """The user as they are kept here, made at their first login and renamed when the provider renames them."""
    idp_id, protocol_id, unique_id = door.provider.id, door.protocol.id, (mapped.id or mapped.name)[:255]
    name, extra = mapped.name[:255], {"email": mapped.email} if mapped.email else {}
    id = public_id("federated", idp_id, protocol_id, unique_id)
    tx.lock("federated user", id)
    known = users.find_federated(tx, idp_id, protocol_id, unique_id)
    if known is not None:
        return users.refresh(tx, known, name=name, extra=extra) if known.origin == known.id else known
    federated = [{"idp_id": idp_id, "protocols": [{"protocol_id": protocol_id, "unique_id": unique_id}]}]
    domain = _domain(tx, door, mapped.domain)
    made = User(
        id, name, domain.id, True, None, None, None, None, 0, 0.0, 0, extra=extra, origin=id, federated=federated
    )
    return users.add(tx, made, settings.current.passwords)


def _join(tx: Tx, door: Door, user: User, wanted: list[MappedGroup]) -> None:
    """Memberships count as long as the provider's word does, and never shorter than the token of this login."""
    found = []
    for group in wanted:
        one = groups.find(tx, group.id) if group.id else _group_named(tx, door, group)
        if one is None and group.id:
            raise wrong(f"there is no group {group.id}")
        if one is not None:
            found.append(one.id)
    ttl_s = (door.provider.authorization_ttl or 0) * 60.0
    ends_at = clock.now() + max(ttl_s, settings.current.token_lifetime_s)
    groups.put_lasting(tx, user.id, door.provider.id, found, ends_at)


def _group_named(tx: Tx, door: Door, group: MappedGroup) -> Any:
    """Names that a provider lists and nobody made a group for mean nothing here."""
    return groups.find_named(tx, _domain(tx, door, group.domain).id, group.name)


def _provision(tx: Tx, door: Door, user: User, wanted: MappedProject) -> None:
    """A project that the mapping promises, with the roles that it names."""
    domain = _domain(tx, door, wanted.domain)
    project = projects.find_named(tx, domain.id, wanted.name)
    if project is None:
        made = Project("", wanted.name[:64], domain.id, domain.id, False, True, f"Made for {user.name}.")
        project = projects.add(tx, made)
    for name in wanted.role_names:
        role = roles.find_named(tx, name)
        if role is None:
            raise wrong(f"there is no role {name}")
        grant = Assignment("user", user.id, "project", project.id, role.id, False)
        if not role_assignments.exists(tx, grant):
            role_assignments.give(tx, grant)


# ---- a browser's login on its way --------------------------------------------------------------------------------


def seal(tx: Tx, sso: Sso) -> str:
    return keys.cipher(tx, "receipt").encrypt(orjson.dumps(asdict(sso))).decode()


def unseal(tx: Tx, text: str, state: str) -> Sso:
    """The login that this browser began; raises Unauthorized for any other."""
    try:
        sso = Sso(**orjson.loads(keys.cipher(tx, "receipt").decrypt(text.encode()[:4096])))
    except (InvalidToken, ValueError, TypeError):
        raise Unauthorized("This browser began no login here, or its cookies are off. Begin again.") from None
    if sso.ends_at <= clock.now() or not state or sso.state != state:
        raise Unauthorized("This login took too long or is another one. Begin again.")
    return sso
