"""/OS-FEDERATION/saml2/metadata, and assertions for a token: plain, and wrapped for clients that carry them on."""

from typing import Any

from pilvi.identity.saml_assertions import service
from pilvi.identity.saml_assertions.model import HEAD, Claims, envelope
from pilvi.identity.saml_assertions.wire import ASKED, read
from pilvi.identity.service_providers.model import ServiceProvider
from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3")
XML = "text/xml"


def _answer(text: str, provider: ServiceProvider) -> Answer:
    headers = {"X-sp-url": provider.sp_url, "X-auth-url": provider.auth_url, "Cache-Control": "no-store"}
    return Answer(200, (HEAD + text).encode(), headers, XML)


def _plain(ctx: Context, asked: tuple[Claims, ServiceProvider]) -> Answer:
    claims, provider = asked
    return _answer(service.signed(claims), provider)


def _wrapped(ctx: Context, asked: tuple[Claims, ServiceProvider]) -> Answer:
    claims, provider = asked
    return _answer(envelope(service.signed(claims), provider.relay_state_prefix + ids.hexid()), provider)


@routes.get("/OS-FEDERATION/saml2/metadata", rule=None, auth="none")
def metadata(ctx: Context, tx: Tx) -> Answer:
    return Answer(200, (HEAD + service.describe()).encode(), content_type=XML)


def create(ctx: Context, tx: Tx, body: Any) -> tuple[Claims, ServiceProvider]:
    return service.about(tx, *read(body))


for _path, _then in (("/auth/OS-FEDERATION/saml2", _plain), ("/auth/OS-FEDERATION/saml2/ecp", _wrapped)):
    routes.post(_path, rule=None, auth="none", raw=True, shape=ASKED, writes=False, then=_then)(create)
