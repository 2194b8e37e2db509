"""Where users of identity providers come in, with a bearer token or a browser; and what they may have tokens for."""

from http.cookies import CookieError, SimpleCookie
from typing import Any

from pilvi.identity import settings
from pilvi.identity.domains.wire import DomainView
from pilvi.identity.federated_logins import service, stream
from pilvi.identity.federated_logins.model import CALLBACK, COOKIE, Door, Sso, handover
from pilvi.identity.projects.model import Project
from pilvi.identity.projects.wire import ProjectView
from pilvi.identity.rights.model import Validated
from pilvi.identity.role_assignments import service as role_assignments
from pilvi.identity.tokens import policy
from pilvi.identity.tokens.api import answer_headers
from pilvi.identity.tokens.wire import document
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Unauthorized
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")
_AUTH = "/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth"
_WEBSSO = "/auth/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/websso"
_WEBSSO_ANY = "/auth/OS-FEDERATION/websso/{protocol_id}"
_NO_STORE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


def _answer(ctx: Context, issued: tuple[str, Validated]) -> Answer:
    text, validated = issued
    body = ctx.database.read(lambda tx: document(tx, validated, with_catalog=False))
    return Answer(201, body, answer_headers(text))


def _by_bearer(ctx: Context, door: Door) -> Answer:
    return _answer(ctx, stream.by_bearer(ctx, door))


def authenticate(ctx: Context, tx: Tx, idp_id: str, protocol_id: str) -> Door:
    return service.door(tx, idp_id, protocol_id)


routes.get(_AUTH, rule=None, auth="none", then=_by_bearer)(authenticate)
routes.post(_AUTH, rule=None, auth="none", writes=False, then=_by_bearer)(authenticate)


# ---- a browser ---------------------------------------------------------------------------------------------------


def _check_origin(query: Query) -> str:
    """Tokens go to dashboards that the operator named, and to nobody else."""
    origin = query.get("origin") or ""
    if origin not in settings.current.dashboards:
        raise Unauthorized(f"{origin[:200] or 'No origin'} is not a dashboard that this cloud trusts.")
    return origin


def _send_away(ctx: Context, asked: tuple[Door, str]) -> Answer:
    door, origin = asked
    sso, url = stream.begin(ctx, door, origin)
    sealed = ctx.database.read(lambda tx: service.seal(tx, sso))
    return Answer(302, b"", {"Location": url, "Set-Cookie": _cookie(ctx, sealed, 600), **_NO_STORE})


def _cookie(ctx: Context, value: str, seconds: int) -> str:
    secure = "; Secure" if ctx.base_url.startswith("https:") else ""
    path = ctx.base_url.removeprefix(ctx.cloud_url) + "/v3/auth/OS-FEDERATION"
    return f"{COOKIE}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def websso(ctx: Context, tx: Tx, idp_id: str, protocol_id: str, query: Query) -> tuple[Door, str]:
    origin = _check_origin(query)
    return service.door(tx, idp_id, protocol_id), origin


def websso_of_protocol(ctx: Context, tx: Tx, protocol_id: str, query: Query) -> tuple[Door, str]:
    origin = _check_origin(query)
    return service.door_for_protocol(tx, protocol_id), origin


def _come_back(ctx: Context, asked: tuple[Door, Sso, str]) -> Answer:
    door, sso, code = asked
    text, _ = stream.complete(ctx, door, sso, code)
    page, allowed = handover(sso.origin, text)
    headers = {"Set-Cookie": _cookie(ctx, "", 0), "Content-Security-Policy": allowed, **_NO_STORE}
    return Answer(200, page, headers, "text/html; charset=utf-8")


@routes.get(CALLBACK.removeprefix("/v3"), rule=None, auth="none", then=_come_back)
def callback(ctx: Context, tx: Tx, query: Query) -> tuple[Door, Sso, str]:
    try:
        cookies: Any = SimpleCookie((ctx.header("Cookie") or "")[:16384])
    except CookieError:
        cookies = {}
    sealed = cookies[COOKIE].value if COOKIE in cookies else ""
    sso = service.unseal(tx, sealed, query.get("state") or "")
    if not query.get("code"):
        raise Unauthorized(f"The identity provider let nobody in: {(query.get('error') or 'no reason given')[:200]}.")
    return service.door(tx, sso.idp_id, sso.protocol_id), sso, query.get("code") or ""


for _path, _begin in ((_WEBSSO, websso), (_WEBSSO_ANY, websso_of_protocol)):
    routes.get(_path, rule=None, auth="none", then=_send_away)(_begin)
    routes.post(_path, rule=None, auth="none", writes=False, then=_send_away)(_begin)


# ---- older names of /auth/projects and /auth/domains -------------------------------------------------------------


@routes.get("/OS-FEDERATION/projects", rule=policy.PROJECTS, view=ProjectView)
def list_projects(ctx: Context, tx: Tx) -> list[Project]:
    policy.PROJECTS.check(ctx)
    return [p for p in role_assignments.projects_of(tx, ctx.user_id) if p.enabled]


@routes.get("/OS-FEDERATION/domains", rule=policy.DOMAINS, view=DomainView)
def list_domains(ctx: Context, tx: Tx) -> list[Project]:
    policy.DOMAINS.check(ctx)
    return [d for d in role_assignments.domains_of(tx, ctx.user_id) if d.enabled]
