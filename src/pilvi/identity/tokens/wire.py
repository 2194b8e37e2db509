"""The token's document. Its constant part is made once per rights and epoch; the rest is a few short strings."""

from typing import Any

import orjson

from pilvi.identity.catalog import service as catalog
from pilvi.identity.projects.model import Project
from pilvi.identity.rights.model import Rights, Validated
from pilvi.identity.service_providers import service as service_providers
from pilvi.kernel import clock
from pilvi.kernel.db import Tx


def _reference(thing: Project | None) -> dict[str, Any] | None:
    return None if thing is None else {"id": thing.id, "name": thing.name}


def document(tx: Tx, validated: Validated, *, with_catalog: bool) -> bytes:
    token, rights = validated.token, validated.rights
    fragment = rights.fragments.get(with_catalog)
    if fragment is None:
        constant = _constant(tx, validated, scoped=token.scope != "unscoped", with_catalog=with_catalog)
        fragment = rights.fragments[with_catalog] = orjson.dumps(constant)[1:]
    head = orjson.dumps(
        {
            "methods": token.methods,
            "expires_at": clock.timestamp(token.expires_us / 1_000_000),
            "issued_at": clock.timestamp(token.issued_us / 1_000_000),
            "audit_ids": token.audit_ids,
        }
    )
    return b'{"token":' + head[:-1] + b"," + fragment + b"}"


def _constant(tx: Tx, validated: Validated, *, scoped: bool, with_catalog: bool) -> dict[str, Any]:
    rights = validated.rights
    user = rights.user
    found: dict[str, Any] = {
        "user": {
            "domain": _reference(rights.user_domain),
            "id": user.id,
            "name": user.name,
            "password_expires_at": user.password_expires_at,
        }
    }
    if validated.token.idp_id:
        found["user"]["OS-FEDERATION"] = {
            "groups": [{"id": id} for id in rights.lasting_group_ids],
            "identity_provider": {"id": validated.token.idp_id},
            "protocol": {"id": validated.token.protocol_id},
        }
    if rights.project is not None:
        found["project"] = {**(_reference(rights.project) or {}), "domain": _reference(rights.domain)}
        found["is_domain"] = rights.project.is_domain
    elif rights.domain is not None:
        found["domain"] = _reference(rights.domain)
    elif rights.system:
        found["system"] = {"all": True}
    if scoped:
        found["roles"] = [{"id": role.id, "name": role.name} for role in rights.roles]
        if with_catalog:
            project_id = rights.project.id if rights.project is not None else None
            found["catalog"] = catalog.of(tx, user_id=user.id, project_id=project_id)
    if providers := service_providers.enabled(tx):
        found["service_providers"] = [{"id": p.id, "auth_url": p.auth_url, "sp_url": p.sp_url} for p in providers]
    return found | _delegation(rights)


def _delegation(rights: Rights) -> dict[str, Any]:
    found: dict[str, Any] = {}
    credential, trust = rights.application_credential, rights.trust
    if credential is not None:
        shown: dict[str, Any] = {
            "id": credential.id,
            "name": credential.name,
            "restricted": not credential.unrestricted,
        }
        if rights.access_rules is not None:
            shown["access_rules"] = rights.access_rules
        found["application_credential"] = shown
    if rights.access is not None:
        found["OS-OAUTH1"] = {"access_token_id": rights.access.id, "consumer_id": rights.access.consumer_id}
    if trust is not None:
        found["OS-TRUST:trust"] = {
            "id": trust.id,
            "impersonation": trust.impersonation,
            "trustor_user": {"id": trust.trustor_user_id},
            "trustee_user": {"id": trust.trustee_user_id},
        }
    return found
