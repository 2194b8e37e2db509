"""Signatures of images: every kind of key and hash, and what is refused."""

import hashlib
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import padding

from pilvi.image.signatures.model import HASHES, KEY_TYPES, Seal, Signature, signature_of
from pilvi.kernel.errors import BadRequest
from tests.unit.image import signing

CONTENT = b"the bytes of an image" * 100


def signature(text: str, method: str = "SHA-256", key_type: str = "RSA-PSS") -> Signature:
    found = signature_of(signing.properties(text, method, key_type, "c1"))
    assert found is not None
    return found


def check(seal: Seal, content: bytes = CONTENT) -> None:
    seal.check(hashlib.new(seal.signature.digest_name, content).hexdigest(), time.time())


@pytest.mark.parametrize("key_type", KEY_TYPES)
@pytest.mark.parametrize("method", HASHES)
def test_each_kind_of_key_and_hash(key_type: str, method: str) -> None:
    signer = signing.key(key_type)
    seal = Seal(signature(signing.signed(signer, CONTENT, method), method, key_type), signing.certificate(signer))
    check(seal)
    with pytest.raises(BadRequest, match="verification failed"):
        check(seal, CONTENT + b"!")


def test_the_salt_may_have_any_length() -> None:
    signer = signing.key("RSA-PSS")
    text = signing.signed(signer, CONTENT, "SHA-256", padding.PSS.DIGEST_LENGTH)
    check(Seal(signature(text), signing.certificate(signer)))


def test_a_signature_by_somebody_else_is_none() -> None:
    text = signing.signed(signing.key("ECC_SECP384R1"), CONTENT, "SHA-256")
    other = signing.key("ECC_SECP521R1")
    with pytest.raises(BadRequest, match="not a ECC_SECP384R1 key"):
        check(Seal(signature(text, key_type="ECC_SECP384R1"), signing.certificate(other)))
    with pytest.raises(BadRequest, match="verification failed"):
        check(Seal(signature(text, key_type="ECC_SECP521R1"), signing.certificate(other)))


def test_a_short_key_is_refused() -> None:
    signer = signing.key("RSA-PSS", 1024)
    with pytest.raises(BadRequest, match="2048 bits"):
        check(Seal(signature(signing.signed(signer, CONTENT, "SHA-256")), signing.certificate(signer)))


@pytest.mark.parametrize(("start", "end"), [(-3, -2), (2, 3)])
def test_a_certificate_has_its_time(start: int, end: int) -> None:
    signer = signing.key("ECC_SECP384R1")
    pem = signing.certificate(signer, signing.NOW + start * signing.DAY, signing.NOW + end * signing.DAY)
    text = signing.signed(signer, CONTENT, "SHA-256")
    with pytest.raises(BadRequest, match="not valid at this time"):
        check(Seal(signature(text, key_type="ECC_SECP384R1"), pem))


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate(pem: str) -> None:
    with pytest.raises(BadRequest, match="cannot be read"):
        check(Seal(signature("AAAA"), pem))


@pytest.mark.parametrize("text", ["", "AAAA", "A" * 4000])
def test_what_is_no_signature(text: str) -> None:
    with pytest.raises(BadRequest, match="verification failed"):
        check(Seal(signature(text), signing.certificate(signing.key("RSA-PSS"))))


@pytest.mark.parametrize(
    "changed",
    [{"img_signature": "%%%"}, {"img_signature_hash_method": "MD5"}, {"img_signature_key_type": "RSA"},
     {"img_signature_key_type": "ECC_SECT571K1"}],
)  # fmt: skip
def test_properties_that_cannot_be_checked(changed: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        signature_of(signing.properties("AAAA", "SHA-256", "RSA-PSS", "c1") | changed)


def test_only_all_four_properties_are_a_signature() -> None:
    whole = signing.properties("AAAA", "SHA-256", "RSA-PSS", "c1")
    for name in whole:
        assert signature_of({k: v for k, v in whole.items() if k != name}) is None
