"""The part of a login that asks the identity provider, outside any transaction."""

import threading
from base64 import urlsafe_b64encode

from pilvi.identity import settings
from pilvi.identity.drivers.oidc import Claims, Oidc
from pilvi.identity.federated_logins import service
from pilvi.identity.federated_logins.model import CALLBACK, SSO_LIFETIME_S, Asserted, Door, Sso
from pilvi.identity.issuers import Issuer
from pilvi.identity.mappings.model import engine
from pilvi.identity.rights.model import Validated
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.errors import NotFound, Unauthorized

_clients: dict[Issuer, Oidc] = {}
_lock = threading.Lock()


def _client(idp_id: str) -> Oidc:
    """The issuer behind an identity provider, with what we know of it already."""
    issuer = settings.current.issuers.get(idp_id)
    if issuer is None:
        raise NotFound(f"The identity provider {idp_id} is not set up for OpenID Connect in the operator's file.")
    with _lock:
        return _clients.setdefault(issuer, Oidc(issuer))


def by_bearer(ctx: Context, door: Door) -> tuple[str, Validated]:
    """A client brings a token of the provider."""
    scheme, _, token = (ctx.header("Authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthorized("Bring a token of the identity provider: Authorization: Bearer TOKEN.")
    return _admit(ctx, door, _client(door.provider.id).believe_bearer(token.strip()))


def _admit(ctx: Context, door: Door, claims: Claims) -> tuple[str, Validated]:
    service.check_issuer(door, str(claims["iss"]))
    mapped = engine.apply(door.mapping, Asserted(claims))
    issued: tuple[str, Validated] = ctx.database.write(lambda tx: service.admit(tx, door, mapped))
    return issued


def _text() -> str:
    return urlsafe_b64encode(ids.random_bytes(32)).rstrip(b"=").decode()


def begin(ctx: Context, door: Door, origin: str) -> tuple[Sso, str]:
    """A browser's login, and where the browser goes for it."""
    client = _client(door.provider.id)
    ends_at = clock.now() + SSO_LIFETIME_S
    sso = Sso(door.provider.id, door.protocol.id, origin, _text(), _text(), _text(), ends_at)
    url = client.authorization_url(
        {
            "redirect_uri": ctx.base_url + CALLBACK, "state": sso.state, "nonce": sso.nonce,
            "code_challenge": sso.challenge, "code_challenge_method": "S256",
        }
    )  # fmt: skip
    return sso, url


def complete(ctx: Context, door: Door, sso: Sso, code: str) -> tuple[str, Validated]:
    """The browser is back with a code: exchange it, believe the ID token, let the user in."""
    client = _client(door.provider.id)
    found = client.redeem(code, sso.verifier, ctx.base_url + CALLBACK)
    claims = client.believe_id_token(str(found.get("id_token") or ""), sso.nonce)
    if client.issuer.userinfo:
        claims = {**client.userinfo(str(found.get("access_token") or ""), str(claims["sub"])), **claims}
    return _admit(ctx, door, claims)
