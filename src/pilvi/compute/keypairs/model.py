"""A keypair: a user's public key, injected into the servers they boot."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import md5, sha1
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilvi.kernel.errors import BadRequest

RSA_BITS = 3072
CERTIFICATE_DAYS = 3650
KEY_TYPES = ("ssh-rsa", "ssh-ed25519", "ecdsa-sha2-", "ssh-dss", "sk-ssh-ed25519@", "sk-ecdsa-sha2-")


@dataclass(frozen=True, slots=True)
class Keypair:
    id: str
    user_id: str
    name: str
    type: str
    public_key: str
    fingerprint: str
    created_at: str


class Generated(NamedTuple):
    """A keypair as created, with its private half, which is shown once and not kept."""

    keypair: Keypair
    private_key: str | None


def fingerprint(public_key: str, type: str) -> str:
    """Colon-separated MD5 of an SSH key, SHA-1 of a certificate: what clients display and compare."""
    if type == "x509":
        return _certificate_fingerprint(public_key)
    parts = public_key.split()
    if len(parts) < 2 or not parts[0].startswith(KEY_TYPES):
        raise BadRequest("Keypair data is invalid: public_key is not an SSH public key. Send the one line of id_….pub.")
    try:
        blob = b64decode(parts[1], validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest("Keypair data is invalid: the key's second word is not base64.") from None
    length = int.from_bytes(blob[:4], "big")
    if blob[4 : 4 + length].decode("ascii", "replace") != parts[0]:
        raise BadRequest("Keypair data is invalid: the key's type does not match its content.")
    return md5(blob, usedforsecurity=False).digest().hex(":")


def _certificate_fingerprint(pem: str) -> str:
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
    except ValueError:
        raise BadRequest("Keypair data is invalid: public_key is not an X.509 certificate in PEM.") from None
    der = certificate.public_bytes(serialization.Encoding.DER)
    return sha1(der, usedforsecurity=False).digest().hex(":")


def generate(type: str, name: str, now: float) -> tuple[str, str]:
    """A fresh key: its public half, or for `x509` a certificate of it, and its private half."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    if type == "x509":
        public = _certificate(key, name, now)
    else:
        encoded = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        public = encoded.decode() + " Generated-by-Pilvi"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return public, private.decode()


def _certificate(key: rsa.RSAPrivateKey, name: str, now: float) -> str:
    """Signed with its own key and named after the keypair, for logging in to Windows guests."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    start = datetime.fromtimestamp(now, UTC)
    unsigned = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start - timedelta(hours=1))
        .not_valid_after(start + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )  # fmt: skip
    return unsigned.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
