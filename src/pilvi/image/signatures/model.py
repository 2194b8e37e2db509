"""Signatures of images: what the properties say, and whether the bytes agree. Pure but for the arithmetic."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from pilvi.kernel.errors import BadRequest

SIGNATURE, HASH, KEY_TYPE = "img_signature", "img_signature_hash_method", "img_signature_key_type"
CERTIFICATE = "img_signature_certificate_uuid"
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "SHA-224": hashes.SHA224(), "SHA-256": hashes.SHA256(), "SHA-384": hashes.SHA384(), "SHA-512": hashes.SHA512(),
}  # fmt: skip
CURVES: Final = {"ECC_SECP384R1": "secp384r1", "ECC_SECP521R1": "secp521r1"}
GONE_CURVES: Final = ("ECC_SECT409K1", "ECC_SECT409R1", "ECC_SECT571K1", "ECC_SECT571R1")
"""Upstream names them; cryptography no longer has them."""
KEY_TYPES: Final = ("RSA-PSS", "DSA", *CURVES)
SMALLEST_KEY_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Signature:
    """What an image's properties say."""

    value: bytes
    hash_method: str
    key_type: str
    certificate_id: str

    @property
    def digest_name(self) -> str:
        """As hashlib names it."""
        return self.hash_method.replace("-", "").lower()


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature and the certificate of whoever is said to have made it."""

    signature: Signature
    certificate: str
    """PEM."""

    def check(self, digest: str, now: float) -> None:
        """Raises BadRequest unless the key of the certificate signed bytes with this digest (hexadecimal)."""
        signature = self.signature
        verify = _verifier(self._key(now), signature)
        try:
            verify(signature.value, bytes.fromhex(digest))
        except (InvalidSignature, ValueError):
            raise BadRequest(
                "Signature verification failed: the bytes are not those that were signed with this certificate's key."
            ) from None

    def _key(self, now: float) -> Any:
        try:
            certificate = x509.load_pem_x509_certificate(self.certificate.encode())
            key = certificate.public_key()
        except ValueError:
            raise BadRequest(f"Certificate {self.signature.certificate_id} cannot be read: PEM is expected.") from None
        moment = datetime.fromtimestamp(now, UTC)
        if not certificate.not_valid_before_utc <= moment <= certificate.not_valid_after_utc:
            raise BadRequest(f"Certificate {self.signature.certificate_id} is not valid at this time.")
        return key


def signature_of(properties: Mapping[str, str]) -> Signature | None:
    """The signature, if all its four properties are there. Raises BadRequest for one that cannot be checked."""
    if not {SIGNATURE, HASH, KEY_TYPE, CERTIFICATE} <= set(properties):
        return None
    method, key_type = properties[HASH], properties[KEY_TYPE]
    if method not in HASHES:
        raise BadRequest(f"{HASH} must be one of {', '.join(HASHES)}, not {method[:40]}.")
    if key_type in GONE_CURVES:
        raise BadRequest(f"{KEY_TYPE} {key_type} is no longer supported; sign with one of {', '.join(KEY_TYPES)}.")
    if key_type not in KEY_TYPES:
        raise BadRequest(f"{KEY_TYPE} must be one of {', '.join(KEY_TYPES)}, not {key_type[:40]}.")
    try:
        value = base64.b64decode(properties[SIGNATURE], validate=True)
    except (binascii.Error, ValueError):
        raise BadRequest(f"{SIGNATURE} must be base64.") from None
    return Signature(value, method, key_type, properties[CERTIFICATE])


def _verifier(key: Any, signature: Signature) -> Callable[[bytes, bytes], None]:
    """Takes signature and digest. Raises BadRequest when the certificate's key is of another type."""
    algorithm = HASHES[signature.hash_method]
    prehashed = Prehashed(algorithm)
    kind = signature.key_type
    if kind == "RSA-PSS" and isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_KEY_BITS:
        scheme = padding.PSS(padding.MGF1(algorithm), padding.PSS.AUTO)
        return lambda value, digest: key.verify(value, digest, scheme, prehashed)
    if kind == "DSA" and isinstance(key, dsa.DSAPublicKey) and key.key_size >= SMALLEST_KEY_BITS:
        return lambda value, digest: key.verify(value, digest, prehashed)
    if kind in CURVES and isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == CURVES[kind]:
        return lambda value, digest: key.verify(value, digest, ec.ECDSA(prehashed))
    raise BadRequest(
        f"The key of certificate {signature.certificate_id} is not a {kind} key of {SMALLEST_KEY_BITS} bits or more."
        if kind not in CURVES
        else f"The key of certificate {signature.certificate_id} is not a {kind} key."
    )
