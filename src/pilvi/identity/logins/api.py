"""POST /auth/tokens."""

from typing import Any

from pilvi.identity import passwords, settings
from pilvi.identity.directories import stream as directory
from pilvi.identity.logins import service
from pilvi.identity.logins.model import DirectoryCheck, Login, fitting_passcode, missing_methods
from pilvi.identity.logins.wire import LOGIN
from pilvi.identity.oauth_tokens.api import signed_by
from pilvi.identity.rights import service as rights
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens.model import parse
from pilvi.identity.tokens.wire import document
from pilvi.identity.users import service as users
from pilvi.identity.users.model import is_locked_out, must_note_activity
from pilvi.kernel import clock
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Unauthorized
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/auth")


def prove(ctx: Context, login: Login) -> None:
    """Run every check, whatever is known already: the time taken must not tell what was wrong."""
    fits = [_fits(check.secret, check.hashed, check.is_password) for check in login.checks]
    fits += [_is_let_in(ctx, login, check) for check in login.directory_checks]
    used = [fitting_passcode(code, secrets, clock.now()) for code, secrets in login.passcodes]
    rules = settings.current.passwords
    user = login.user
    by_password = "password" in {proof.method for proof in login.request.proofs}
    guessable = by_password or bool(login.passcodes)
    if guessable and user is not None and is_locked_out(user, rules, clock.now()):
        raise rights.refused()
    if not all(fits) or None in used or not login.is_sound or user is None:
        if guessable and rules.lockout_failures:
            id = user.id if user is not None else ""
            ctx.database.write(lambda tx: users.count_wrong_password(tx, id, rules))
        raise rights.refused()
    if by_password:
        _check_expiry(user)
    if used or (by_password and user.failures) or must_note_activity(user, rules, clock.now()):
        spent = [one for one in used if one is not None]
        ctx.database.write(lambda tx: service.settle_proofs(tx, login, spent))
    missing = [] if login.credential is not None else missing_methods(user, login.methods)
    if missing:
        raise ctx.database.read(lambda tx: service.receipt_for(tx, login, missing))


def _is_let_in(ctx: Context, login: Login, check: DirectoryCheck) -> bool:
    """Ask the directory; who got in is mirrored then, and the login is about them."""
    id = directory.log_in(ctx, check.plan, name=check.name, local_id=check.local_id, password=check.secret)
    if id is not None:
        ctx.database.read(lambda tx: service.is_about(tx, login, users.find(tx, id)))
    return id is not None


def _fits(secret: str, hashed: str | None, is_password: bool) -> bool:
    return passwords.verify(secret, hashed) if is_password else passwords.verify_secret(secret, hashed)


def _check_expiry(user: Any) -> None:
    ends_at = user.password_expires_at
    if ends_at is not None and not user.options.get("ignore_password_expiry") and clock.parse(ends_at) <= clock.now():
        raise Unauthorized(
            f"The password is expired and needs to be changed for user: {user.id}. "
            f"POST the old and a new one to /v3/users/{user.id}/password."
        )


def _log_in(ctx: Context, begun: tuple[Login, bool]) -> Answer:
    """After the first transaction: check what is slow to check, then issue the token in another one."""
    login, with_catalog = begun
    signed = login.signed
    if signed is not None:
        given: Answer = ctx.database.write(
            lambda tx: _answer(tx, service.finish_signed(tx, login, signed), with_catalog)
        )
        return given
    prove(ctx, login)

    def finish(tx: Tx) -> Answer:
        return _answer(tx, service.finish(tx, login), with_catalog)

    found: Answer = ctx.database.write(finish) if service.needs_write(login) else ctx.database.read(finish)
    return found


def _answer(tx: Tx, issued: tuple[str, Validated], with_catalog: bool) -> Answer:
    text, validated = issued
    headers = {"X-Subject-Token": text, "Vary": "X-Auth-Token"}
    return Answer(201, document(tx, validated, with_catalog=with_catalog), headers)


def _is_proven(login: Login) -> bool:
    """A token was all that came: there is nothing slow to check and nothing to write."""
    user = login.user
    if (
        login.checks
        or login.directory_checks
        or login.passcodes
        or not login.is_sound
        or login.parent is None
        or user is None
    ):
        return False
    return not service.needs_write(login) and not missing_methods(user, login.methods)


@routes.post("/tokens", rule=None, auth="none", raw=True, shape=LOGIN, writes=False, then=_log_in)
def create(ctx: Context, tx: Tx, body: Any, query: Query) -> Answer | tuple[Login, bool]:
    with_catalog = "nocatalog" not in query.text
    login = service.begin(tx, parse(body), ctx.header("Openstack-Auth-Receipt") or "")
    if service.OAUTH in login.methods:
        login.signed = signed_by(ctx, query.text)
    elif _is_proven(login):
        return _answer(tx, service.finish(tx, login), with_catalog)
    return login, with_catalog
