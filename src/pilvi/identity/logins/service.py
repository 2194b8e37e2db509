"""The two halves of a login: `begin` finds out what must be checked, `finish` issues the token."""

from collections.abc import Iterable

import orjson
from cryptography.fernet import InvalidToken

from pilvi.identity import settings
from pilvi.identity.application_credentials import service as application_credentials
from pilvi.identity.credentials import service as credentials
from pilvi.identity.directories import service as directories
from pilvi.identity.domains import service as domains
from pilvi.identity.keys import service as keys
from pilvi.identity.logins.model import RECEIPT_LIFETIME_S, Check, DirectoryCheck, Login
from pilvi.identity.oauth_tokens import service as oauth_tokens
from pilvi.identity.oauth_tokens.model import Signed
from pilvi.identity.projects import service as projects
from pilvi.identity.projects.model import Project
from pilvi.identity.rights import service as rights
from pilvi.identity.rights.model import Validated
from pilvi.identity.tokens import service as tokens
from pilvi.identity.tokens.model import TOKEN_METHODS, Named, Proof, Request, Scope, Token
from pilvi.identity.trusts import service as trusts
from pilvi.identity.users import service as users
from pilvi.identity.users.model import User, must_note_activity
from pilvi.kernel import clock
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, Unauthorized

OAUTH = "oauth1"


def begin(tx: Tx, request: Request, receipt: str = "") -> Login:
    """Look up whom and what the proofs name. Only a bad token is refused at once; nothing slow depends on it."""
    login = Login(request)
    if receipt:
        _by_receipt(tx, login, receipt)
    for proof in request.proofs:
        if proof.method not in login.methods:
            login.methods.append(proof.method)
        if proof.method in TOKEN_METHODS:
            _by_token(tx, login, proof)
        elif proof.method == "password":
            _by_password(tx, login, proof)
        elif proof.method == "application_credential":
            _by_credential(tx, login, proof)
        elif proof.method == "totp":
            user = _find_user(tx, proof.user)
            is_about(tx, login, user)
            login.passcodes.append((proof.secret, credentials.totp_secrets(tx, user.id) if user else {}))
        elif proof.method != OAUTH:
            raise Unauthorized(f"Attempted to authenticate with an unsupported method: {proof.method[:64]}.")
    return login


def _find_user(tx: Tx, named: Named | None) -> User | None:
    if named is None:
        return None
    if named.id:
        return users.find(tx, named.id)
    domain = domains.find(tx, id=named.domain_id, name=named.domain_name)
    return users.find_named(tx, domain.id, named.name) if domain is not None else None


def _by_password(tx: Tx, login: Login, proof: Proof) -> None:
    user = _find_user(tx, proof.user)
    if _is_in_directory(tx, login, proof, user):
        return
    is_about(tx, login, user)
    login.checks.append(Check(proof.secret, user.password_hash if user else None))


def _is_in_directory(tx: Tx, login: Login, proof: Proof, user: User | None) -> bool:
    """Whoever is of a domain with a directory is asked for there, known to us or not."""
    named = proof.user
    domain = domains.find(tx, id=named.domain_id, name=named.domain_name) if named and not named.id else None
    domain_id = user.domain_id if user is not None else domain.id if domain is not None else ""
    plan = directories.plan_of(tx, domain_id) if domain_id and (user is None or user.origin) else None
    if plan is None or named is None:
        return False
    local_id = directories.local_id_of(tx, user) if user is not None and named.id else ""
    if named.id and not local_id:
        return False
    login.directory_checks.append(DirectoryCheck(plan, named.name, local_id, proof.secret))
    return True


def is_about(tx: Tx, login: Login, user: User | None) -> None:
    """All proofs must be about one and the same enabled user."""
    if user is None or (login.user is not None and login.user.id != user.id):
        login.is_sound = False
        return
    try:
        login.user, login.user_domain = rights.enabled_user(tx, user.id)
    except Unauthorized:
        login.is_sound = False


def _by_token(tx: Tx, login: Login, proof: Proof) -> None:
    parent = tokens.subject(tx, proof.secret)
    if parent.token.is_delegated:
        raise Forbidden("A token with rights that somebody handed on cannot be exchanged for another.")
    if proof.method != "token" and proof.method not in parent.token.methods:
        login.is_sound = False  # Whoever names a method has used it.
    login.parent = parent
    login.methods += [m for m in parent.token.methods if m not in login.methods]
    if login.user is not None and login.user.id != parent.token.user_id:
        login.is_sound = False
    login.user, login.user_domain = parent.rights.user, parent.rights.user_domain


def _by_credential(tx: Tx, login: Login, proof: Proof) -> None:
    named = proof.credential
    assert named is not None
    if named.id:
        credential = application_credentials.find(tx, named.id)
    else:
        owner = _find_user(tx, proof.user)
        credential = application_credentials.find_named(tx, owner.id, named.name) if owner is not None else None
    login.checks.append(Check(proof.secret, credential.secret_hash if credential else None, is_password=False))
    if credential is None or credential.is_expired():
        login.is_sound = False
        return
    login.credential = credential
    is_about(tx, login, users.find(tx, credential.user_id))


def _by_receipt(tx: Tx, login: Login, text: str) -> None:
    """Methods that were proven in an earlier request of the same login."""
    try:
        known = orjson.loads(keys.cipher(tx, "receipt").decrypt(text.encode()[:4096]))
    except (InvalidToken, ValueError):
        raise rights.refused() from None
    if known["expires_at"] <= clock.now():
        raise rights.refused()
    login.methods += known["methods"]
    is_about(tx, login, users.find(tx, known["user_id"]))


def receipt_for(tx: Tx, login: Login, missing: list[list[str]]) -> Unauthorized:
    """More methods are needed: a receipt for those that were proven."""
    user, domain = login.user, login.user_domain
    assert user is not None
    assert domain is not None
    now = clock.now()
    kept = {"user_id": user.id, "methods": login.methods, "expires_at": now + RECEIPT_LIFETIME_S}
    text = keys.cipher(tx, "receipt").encrypt(orjson.dumps(kept)).decode()
    receipt = {
        "methods": login.methods,
        "user": {"id": user.id, "name": user.name, "domain": {"id": domain.id, "name": domain.name}},
        "issued_at": clock.timestamp(now),
        "expires_at": clock.timestamp(now + RECEIPT_LIFETIME_S),
    }
    extra = {"receipt": receipt, "required_auth_methods": missing}
    return Unauthorized(
        "Additional authentications steps required.", headers={"Openstack-Auth-Receipt": text}, extra=extra
    )


def settle_proofs(tx: Tx, login: Login, used: Iterable[tuple[str, int]]) -> None:
    """All proofs hold: passcodes are spent, wrong passwords forgotten, the day's activity noted."""
    user = login.user
    assert user is not None
    for credential_id, step in used:
        credentials.use_passcode(tx, credential_id, step, rights.refused())
    if user.failures and "password" in {proof.method for proof in login.request.proofs}:
        users.forget_wrong_passwords(tx, user.id)
    if must_note_activity(user, settings.current.passwords, clock.now()):
        users.note_activity(tx, user.id)


# ---- the second half ---------------------------------------------------------------------------------------------


def finish(tx: Tx, login: Login) -> tuple[str, Validated]:
    """All proofs hold: issue the token for the scope that was asked for."""
    user = login.user
    assert user is not None
    token = tokens.fresh(user.id, login.methods, login.parent.token if login.parent else None)
    if login.credential is not None:
        return _for_credential(tx, login, token)
    scope = login.request.scope
    if scope.kind == "trust":
        return _for_trust(tx, token, scope.what.id)
    if scope.kind == "default":
        return _for_default(tx, user, token)
    kind, id = _place(tx, scope)
    return tokens.issue(tx, tokens.scoped(token, kind, id))


def finish_signed(tx: Tx, login: Login, signed: Signed) -> tuple[str, Validated]:
    """A consumer of OAuth logs in with what a user gave it."""
    if len(login.request.proofs) != 1 or login.request.scope.kind != "default":
        raise Unauthorized("OAuth goes with no other method, and its scope is the project of the access token.")
    access = oauth_tokens.log_in(tx, signed)
    rights.enabled_user(tx, access.user_id)
    token = tokens.scoped(tokens.fresh(access.user_id, (OAUTH,)), "project", access.project_id)
    return tokens.issue(tx, tokens.with_delegation(token, access_token_id=access.id))


def needs_write(login: Login) -> bool:
    """Trusts may count their uses."""
    return login.request.scope.kind == "trust"


def _place(tx: Tx, scope: Scope) -> tuple[str, str]:
    """Kind and id of the scope; what cannot be found is refused like what may not be had."""
    if scope.kind in ("unscoped", "system"):
        return scope.kind, "system" if scope.kind == "system" else ""
    found: Project | None
    what = scope.what
    if scope.kind == "domain":
        found = domains.find(tx, id=what.id, name=what.name)
    elif what.id:
        found = projects.find_cached(tx, what.id)
    else:
        domain = domains.find(tx, id=what.domain_id, name=what.domain_name)
        found = projects.find_named_cached(tx, domain.id, what.name) if domain is not None else None
    if found is None:
        raise rights.refused()
    return scope.kind, found.id


def _for_default(tx: Tx, user: User, token: Token) -> tuple[str, Validated]:
    """Nothing was asked for: the user's default project if there is one that opens, else no scope."""
    if user.default_project_id:
        try:
            return tokens.issue(tx, tokens.scoped(token, "project", user.default_project_id))
        except Unauthorized:
            pass
    return tokens.issue(tx, token)


def _for_credential(tx: Tx, login: Login, token: Token) -> tuple[str, Validated]:
    credential = login.credential
    assert credential is not None
    if login.request.scope.kind != "default":
        raise Unauthorized("Application credentials cannot request a scope: theirs is their project.")
    scoped = tokens.with_delegation(tokens.scoped(token, "project", credential.project_id), credential_id=credential.id)
    return tokens.issue(tx, scoped)


def _for_trust(tx: Tx, token: Token, trust_id: str) -> tuple[str, Validated]:
    trust = trusts.find(tx, trust_id)
    if trust is None or trust.is_over():
        raise rights.refused()
    if trust.trustee_user_id != token.user_id:
        raise Forbidden("Only the trustee of a trust can use it.")
    if not trusts.use_once(tx, trust):
        raise rights.refused()
    user_id = trust.trustor_user_id if trust.impersonation else trust.trustee_user_id
    token = tokens.with_delegation(token, user_id=user_id, trust_id=trust.id)
    if trust.project_id:
        token = tokens.scoped(token, "project", trust.project_id)
    return tokens.issue(tx, token)
