"""The OpenID Connect issuers that an operator trusts: one TOML file, a table per identity provider, secrets inside."""

import re
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pilvi.kernel.config import ConfigError, Secret

LOOPBACK = re.compile(r"^(localhost|127(\.\d{1,3}){3}|::1)$")


@dataclass(frozen=True, slots=True)
class Issuer:
    """What the cloud needs to know of an issuer, and as whom it is known there."""

    idp_id: str
    """The identity provider in the API that this is."""
    issuer: str
    """Its URL, exactly as its tokens say in `iss`."""
    client_id: str
    client_secret: Secret | None = None
    audiences: tuple[str, ...] = ()
    """Who a bearer token may be meant for, beside `client_id`."""
    scopes: str = "openid email profile"
    """What a login in the browser asks for."""
    userinfo: bool = False
    """After a login in the browser ask for what the ID token leaves out, such as groups."""
    introspect: bool = False
    """Take bearer tokens that are no JWT, and ask the issuer about each."""
    ca_path: Path | None = None
    """Certificates (PEM) that its TLS may be signed by, when the system's are not the right ones."""


def load(path: Path | None) -> dict[str, Issuer]:
    """The issuers by the id of their identity provider; raises ConfigError."""
    if path is None:
        return {}
    text = Secret.from_file(path).reveal()
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    return {idp_id: _issuer(path, idp_id, table) for idp_id, table in document.items()}


def _issuer(path: Path, idp_id: str, table: Any) -> Issuer:
    known = {f.name for f in fields(Issuer)} - {"idp_id"}
    if not isinstance(table, dict) or set(table) - known:
        raise ConfigError(f"{path}: [{idp_id}] may have {', '.join(sorted(known))}.")
    for name in ("issuer", "client_id"):
        if not isinstance(table.get(name), str) or not table[name]:
            raise ConfigError(f"{path}: [{idp_id}] needs {name}, a text.")
    if not is_safe(table["issuer"]):
        raise ConfigError(f"{path}: [{idp_id}] issuer must be an https URL; http is for this machine only.")
    values = dict(table)
    if "client_secret" in values:
        values["client_secret"] = Secret(str(values["client_secret"]))
    if "ca_path" in values:
        values["ca_path"] = Path(str(values["ca_path"]))
    values["audiences"] = tuple(str(one) for one in values.get("audiences", ()))
    return Issuer(idp_id=idp_id, **values)


def is_safe(url: str) -> bool:
    """TLS, or this very machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and bool(LOOPBACK.match(parts.hostname or "")))
