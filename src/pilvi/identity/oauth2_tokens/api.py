"""POST /OS-OAUTH2/token. The token that it gives is one of ours: in `X-Auth-Token`, or as a bearer token."""

from typing import Any

from pilvi.identity.logins import service as logins
from pilvi.identity.logins.api import prove
from pilvi.identity.logins.model import Login
from pilvi.identity.oauth2_tokens.model import FORM, NO_STORE, read, stranger
from pilvi.identity.oauth2_tokens.wire import ASKED
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Unauthorized
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/OS-OAUTH2")


def _issue(ctx: Context, login: Login) -> Answer:
    """After the first transaction: check the secret, which is slow to check, then issue the token."""
    try:
        prove(ctx, login)
        text, validated = ctx.database.read(lambda tx: logins.finish(tx, login))
    except Unauthorized:
        raise stranger() from None
    lasts_s = int(validated.token.expires_us / 1_000_000 - clock.now())
    return Answer(200, {"access_token": text, "token_type": "Bearer", "expires_in": lasts_s}, NO_STORE)


@routes.post("/token", rule=None, auth="none", raw=True, shape=ASKED, media=(FORM,), writes=False, then=_issue)
def create(ctx: Context, tx: Tx, body: Any) -> Login:
    return logins.begin(tx, read(ctx.header("Authorization") or "", body))
