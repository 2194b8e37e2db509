"""A keypair: a user's public key, injected into the servers they boot."""

import binascii
from base64 import b64decode
from dataclasses import dataclass
from hashlib import md5, sha1
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from pilvi.kernel.errors import BadRequest

RSA_BITS = 3072
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


def generate() -> tuple[str, str]:
    """A fresh public and private SSH key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return public.decode() + " Generated-by-Pilvi", private.decode()
