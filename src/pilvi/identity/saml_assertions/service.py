"""Who is told about whom: a user with a token for a project, to a service provider that an administrator registered."""

from base64 import b64encode
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pilvi.identity import settings
from pilvi.identity.domains import service as domains
from pilvi.identity.groups import service as groups
from pilvi.identity.rights.model import Validated
from pilvi.identity.saml_assertions.model import Claims, Sign, metadata, response
from pilvi.identity.service_providers import service as service_providers
from pilvi.identity.service_providers.model import ServiceProvider
from pilvi.identity.tokens import service as tokens
from pilvi.kernel import clock, ids
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden, Unavailable

LIFETIME_S: Final = 600.0
"""The other cloud must have taken the assertion until then."""
GROUPS_LIMIT: Final = 1000
_PLACE: Final = "/identity/v3/OS-FEDERATION/saml2"


@dataclass(frozen=True, slots=True)
class Signer:
    certificate: str
    """In base64, as XML carries it."""
    sign: Sign


def entity() -> str:
    """This cloud's name among those that take its assertions."""
    return f"{settings.current.public_url}{_PLACE}/idp"


def describe() -> str:
    return metadata(entity(), f"{settings.current.public_url}{_PLACE}/sso", signer().certificate)


def about(tx: Tx, token: str, provider_id: str) -> tuple[Claims, ServiceProvider]:
    """What is said of the token's user. Raises faults for a bad token and a closed provider."""
    validated = tokens.validate(tx, token)
    if validated.token.is_delegated:
        raise Forbidden("A token with rights that somebody handed on is not passed on to other clouds.")
    if validated.rights.project is None:
        raise Forbidden("Use a token for a project: the assertion says which one.")
    provider = service_providers.find_enabled(tx, provider_id)
    now = clock.now()
    claims = Claims(
        issuer=entity(), recipient=provider.sp_url, audience=provider.sp_url,
        user=validated.rights.user.name, attributes=_attributes(tx, validated),
        issued_at=_moment(now), ends_at=_moment(now + LIFETIME_S),
        assertion_id=f"a{ids.hexid()}", response_id=f"r{ids.hexid()}",
    )  # fmt: skip
    return claims, provider


def _moment(seconds: float) -> str:
    return clock.seconds(clock.timestamp(seconds))


def _attributes(tx: Tx, validated: Validated) -> dict[str, list[str]]:
    """The names that other clouds' mappings expect."""
    rights = validated.rights
    project, domain = rights.project, rights.domain
    assert project is not None
    assert domain is not None
    mine = groups.find_many(tx, groups.ids_of_user(tx, rights.user.id)[:GROUPS_LIMIT])
    names = {id: domains.find(tx, id=id, name="") for id in {group.domain_id for group in mine}}
    described = [
        {"name": group.name, "domain": {"name": found.name}} for group in mine if (found := names[group.domain_id])
    ]
    return {
        "openstack_user": [rights.user.name],
        "openstack_roles": sorted(role.name for role in rights.roles),
        "openstack_project": [project.name],
        "openstack_project_domain": [domain.name],
        "openstack_user_domain": [rights.user_domain.name],
        "openstack_groups": [f"JSON:{orjson.dumps(one).decode()}" for one in described],
    }


def signed(claims: Claims) -> str:
    """Slow enough to be done outside of transactions."""
    own = signer()
    return response(claims, own.certificate, own.sign)


def signer() -> Signer:
    path = settings.current.saml_path
    if path is None or not path.exists():
        raise Unavailable("This cloud has no certificate for assertions yet. An administrator runs ./pilvi up.")
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _load(path: Path, _changed: int) -> Signer:
    data = path.read_bytes()
    key = serialization.load_pem_private_key(data, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    certificate = x509.load_pem_x509_certificate(data).public_bytes(serialization.Encoding.DER)

    def sign(text: bytes) -> bytes:
        return key.sign(text, padding.PKCS1v15(), hashes.SHA256())

    return Signer(b64encode(certificate).decode(), sign)
