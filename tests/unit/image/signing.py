"""Keys, certificates and signatures for tests."""

import base64
import datetime
import functools
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import NameOID

HASHES = {
    "SHA-224": hashes.SHA224(),
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}
NOW = datetime.datetime.now(datetime.UTC)
DAY = datetime.timedelta(days=1)


@functools.cache
def key(key_type: str, bits: int = 2048) -> Any:
    if key_type == "RSA-PSS":
        return rsa.generate_private_key(65537, bits)
    if key_type == "DSA":
        return dsa.generate_private_key(bits)
    return ec.generate_private_key(ec.SECP384R1() if "384" in key_type else ec.SECP521R1())


def certificate(signer: Any, start: datetime.datetime = NOW - DAY, end: datetime.datetime = NOW + DAY) -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "signer")])
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(signer.public_key())
    built = built.serial_number(1).not_valid_before(start).not_valid_after(end)
    return built.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def signed(signer: Any, content: bytes, method: str, salt: int | Any = padding.PSS.MAX_LENGTH) -> str:
    """As upstream's documentation has people sign."""
    algorithm = HASHES[method]
    if isinstance(signer, rsa.RSAPrivateKey):
        value = signer.sign(content, padding.PSS(padding.MGF1(algorithm), salt), algorithm)
    elif isinstance(signer, dsa.DSAPrivateKey):
        value = signer.sign(content, algorithm)
    else:
        value = signer.sign(content, ec.ECDSA(algorithm))
    return base64.b64encode(value).decode()


def properties(signature: str, method: str, key_type: str, certificate_id: str) -> dict[str, str]:
    return {
        "img_signature": signature, "img_signature_hash_method": method, "img_signature_key_type": key_type,
        "img_signature_certificate_uuid": certificate_id,
    }  # fmt: skip
