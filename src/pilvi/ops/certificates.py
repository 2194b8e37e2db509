"""The cloud's own certificate authority: one for the front, a short-lived one per host.

Every function may be called again: it makes what is missing or about to expire and says whether it did.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pilvi.kernel.config import Paths
from pilvi.ops.files import make_directory, write_file

CA_DAYS: Final = 3650
FRONT_DAYS: Final = 398
HOST_DAYS: Final = 30
BACKDATED: Final = datetime.timedelta(minutes=5)  # Clocks differ a little.

Key = ec.EllipticCurvePrivateKey


def ensure_ca(paths: Paths) -> bool:
    make_directory(paths.ca)
    if paths.ca_certificate.exists() and _ca_key_path(paths).exists():
        return False
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pilvi CA")])
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(name, name, key.public_key(), CA_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_file(_ca_key_path(paths), _pem(key))
    write_file(paths.ca_certificate, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    return True


def ensure_front(paths: Paths, names: Sequence[str], *, anew: bool = False) -> bool:
    """One file with certificate and key, for the public port and the agents' port. `anew`: also when it is good."""
    if not anew and _is_good(paths.front_certificate, paths, names):
        return False
    key, certificate = _issue(paths, "pilvi front", FRONT_DAYS, ExtendedKeyUsageOID.SERVER_AUTH, names)
    write_file(paths.front_certificate, certificate + _pem(key))
    return True


def ensure_host(paths: Paths, host: str, *, anew: bool = False) -> bool:
    """What this host's agent proves itself with. The front passes the common name on. `anew`: also when it is good."""
    make_directory(paths.ca / "hosts")
    if not anew and _is_good(paths.host_certificate(host), paths, ()) and paths.host_key(host).exists():
        return False
    key, certificate = _issue(paths, host, HOST_DAYS, ExtendedKeyUsageOID.CLIENT_AUTH, ())
    # The key goes first: a certificate that is there has its key beside it, whenever we die.
    paths.host_certificate(host).unlink(missing_ok=True)
    write_file(paths.host_key(host), _pem(key))
    write_file(paths.host_certificate(host), certificate)
    return True


def ensure_saml(paths: Paths) -> bool:
    """One file with certificate and key for assertions. Other clouds are told of the certificate, so it stays."""
    if paths.saml_certificate.exists():
        return False
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pilvi assertions")])
    certificate = _builder(name, name, key.public_key(), CA_DAYS).sign(key, hashes.SHA256())
    write_file(paths.saml_certificate, certificate.public_bytes(serialization.Encoding.PEM) + _pem(key))
    return True


def expires_at(path: Path) -> datetime.datetime:
    return x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc


def _is_good(path: Path, paths: Paths, names: Sequence[str]) -> bool:
    """Present, of this CA, for these names, and with at least a third of its life left."""
    if not path.exists():
        return False
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(paths.ca_certificate.read_bytes()))
    except Exception:  # noqa: BLE001 - whatever is wrong with it, a new one is right.
        return False
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    return left > life / 3 and set(map(_general_name, names)) <= set(_names_of(certificate))


def _names_of(certificate: x509.Certificate) -> list[x509.GeneralName]:
    try:
        return list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        return []


def _issue(
    paths: Paths, common_name: str, days: int, purpose: x509.ObjectIdentifier, names: Sequence[str]
) -> tuple[Key, bytes]:
    ca = x509.load_pem_x509_certificate(paths.ca_certificate.read_bytes())
    ca_key = serialization.load_pem_private_key(_ca_key_path(paths).read_bytes(), password=None)
    assert isinstance(ca_key, Key)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    builder = (
        _builder(subject, ca.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
    return key, builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey | rsa.RSAPublicKey, days: int
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + datetime.timedelta(days=days))
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: Key | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _ca_key_path(paths: Paths) -> Path:
    return paths.ca / "ca.key"
