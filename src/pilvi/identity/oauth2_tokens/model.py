"""The client-credentials grant of RFC 6749. Its client is an application credential. Pure."""

import re
from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, Final

from pilvi.identity.tokens.model import Named, Proof, Request, Scope
from pilvi.kernel.errors import BadRequest, Unauthorized

GRANT: Final = "client_credentials"
FORM: Final = "application/x-www-form-urlencoded"
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Pilvi"'}
NO_STORE: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_CLIENT: Final = re.compile("[0-9A-Za-z-]{1,64}")


def stranger(why: str = "The client is not known, or its secret is wrong.") -> Unauthorized:
    return Unauthorized(why, type="invalid_client", headers=CHALLENGE | NO_STORE)


def read(authorization: str, form: Any) -> Request:
    """What the client asks for, as the login that it amounts to."""
    if not isinstance(form, dict) or not isinstance(form.get("grant_type"), str):
        raise BadRequest(f"Say grant_type={GRANT} in a form.", type="invalid_request", headers=NO_STORE)
    if form["grant_type"] != GRANT:
        raise BadRequest(
            f"The grant type must be {GRANT}, not {form['grant_type'][:64]!r}.",
            type="unsupported_grant_type",
            headers=NO_STORE,
        )
    id, secret = _basic(authorization)
    if form.get("client_id", id) != id:
        raise stranger("The form names another client than the Authorization header.")
    if form.get("scope"):
        raise BadRequest(
            "An application credential has the rights of its project and roles: ask for no scope.",
            type="invalid_scope",
            headers=NO_STORE,
        )
    return Request((Proof("application_credential", secret=secret, credential=Named(id=id)),), Scope("default"))


def _basic(authorization: str) -> tuple[str, str]:
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise stranger("Send the application credential's id and secret as `Authorization: Basic`.")
    try:
        id, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (NotBase64, UnicodeDecodeError):
        raise stranger("The Authorization header is not base64 of ID:SECRET.") from None
    if not colon or not _CLIENT.fullmatch(id):
        raise stranger()
    return id, secret
