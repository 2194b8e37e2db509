"""Signed images through a real `live`: what agrees is kept, what does not leaves nothing."""

from collections.abc import Iterator

import pytest

from tests.integration.live.rig import Rig, running
from tests.integration.live.test_imports import begin, over
from tests.unit.image import signing

CONTENT = b"signed bytes" * 10_000


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    with running() as made:
        yield made


def deposited(rig: Rig, pem: str, who: str = "member", **more: str) -> str:
    """The id of a credential that holds a certificate."""
    credential = {"type": "cert", "blob": pem, "user_id": rig.images.facts[who], **more}
    reply = rig.images.as_(who).at("/identity/v3").post("/credentials", {"credential": credential})
    assert reply.status == 201, reply.content
    return str(reply.body["credential"]["id"])


def signed(rig: Rig, content: bytes, key_type: str = "ECC_SECP384R1", certificate_id: str = "") -> str:
    signer = signing.key(key_type)
    id = certificate_id or deposited(rig, signing.certificate(signer))
    return rig.image(**signing.properties(signing.signed(signer, content, "SHA-256"), "SHA-256", key_type, id))


@pytest.mark.parametrize("key_type", ["RSA-PSS", "DSA", "ECC_SECP384R1", "ECC_SECP521R1"])
def test_what_agrees_is_kept(rig: Rig, key_type: str) -> None:
    id = signed(rig, CONTENT, key_type)
    assert rig.upload(id, CONTENT) == (204, b"")
    assert rig.download(id)[2] == CONTENT


def test_what_does_not_agree_leaves_nothing(rig: Rig) -> None:
    id = signed(rig, CONTENT)
    status, message = rig.upload(id, CONTENT[:-1] + b"?")
    assert (status, b"Signature verification failed" in message) == (400, True)
    assert rig.status_of(id) == "queued"
    assert not list(rig.store.directory.glob(f"{id}*"))
    assert rig.upload(id, CONTENT)[0] == 204, "Another try may succeed."


def test_a_certificate_of_others_does_not_count(rig: Rig) -> None:
    theirs = deposited(rig, signing.certificate(signing.key("ECC_SECP384R1")), "stranger")
    for certificate_id in (theirs, "0" * 32):
        id = signed(rig, CONTENT, certificate_id=certificate_id)
        status, message = rig.upload(id, CONTENT)
        assert (status, b"There is no certificate" in message) == (400, True)
        assert rig.status_of(id) == "queued"


def test_a_certificate_of_the_project_counts_for_all_its_members(rig: Rig) -> None:
    pem = signing.certificate(signing.key("ECC_SECP384R1"))
    shared = deposited(rig, pem, "manager", project_id=rig.images.facts["demo"])
    assert rig.upload(signed(rig, CONTENT, certificate_id=shared), CONTENT)[0] == 204


def test_an_import_is_checked_too(rig: Rig) -> None:
    for content, status in ((CONTENT, "success"), (b"other", "failure")):
        id = signed(rig, CONTENT)
        assert rig.upload(id, content, what="stage")[0] == 204
        begin(rig, id, "glance-direct")
        task = over(rig, id)
        assert task["status"] == status, task["message"]
        if status == "failure":
            assert "Signature verification failed" in task["message"]
            assert_untouched_file(rig, id)


def assert_untouched_file(rig: Rig, id: str) -> None:
    assert rig.status_of(id) == "queued"
    assert not list(rig.store.directory.glob(f"{id}*"))


def test_properties_that_cannot_be_checked_are_said_before_the_bytes_are_read(rig: Rig) -> None:
    id = rig.image(**signing.properties("AAAA", "MD5", "RSA-PSS", "0" * 32))
    status, message = rig.upload(id, CONTENT)
    assert (status, b"img_signature_hash_method" in message) == (400, True)
    assert rig.status_of(id) == "queued"
