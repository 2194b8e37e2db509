"""Keypairs: imported, generated, of other users, in pages."""

import pytest

from tests.contract.client import Client, Reply

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6xyz0123456789abcdefghijklmnopqrstuvwx me@here"


def make(cloud: Client, name: str = "mine", at: str = "2.10", **more: object) -> Reply:
    return cloud.post("/os-keypairs", {"keypair": {"name": name, "public_key": KEY, **more}}, microversion=at)


def test_an_imported_key_is_kept_and_shown_with_its_fingerprint(cloud: Client) -> None:
    made = make(cloud)
    assert made.status == 201, made.content
    keypair = made.body["keypair"]
    assert "private_key" not in keypair
    assert keypair["user_id"] == cloud.facts["member"]
    shown = cloud.get("/os-keypairs/mine", microversion="2.2").body["keypair"]
    assert (shown["public_key"], shown["type"], shown["fingerprint"]) == (KEY, "ssh", keypair["fingerprint"])
    assert len(shown["fingerprint"].split(":")) == 16
    assert isinstance(shown["id"], int)
    assert shown["deleted"] is False


def test_a_generated_key_shows_its_private_half_once(cloud: Client) -> None:
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    reply = cloud.post("/os-keypairs", {"keypair": {"name": "new"}})
    assert reply.status == 200
    load_pem_private_key(reply.body["keypair"]["private_key"].encode(), None)
    assert reply.body["keypair"]["public_key"].startswith("ssh-rsa ")
    assert "private_key" not in cloud.get("/os-keypairs/new").body["keypair"]


def test_a_certificate_can_be_generated_and_imported(cloud: Client) -> None:
    reply = cloud.post("/os-keypairs", {"keypair": {"name": "c", "type": "x509"}}, microversion="2.2")
    assert reply.status == 201, reply.content
    made = reply.body["keypair"]
    assert made["public_key"].startswith("-----BEGIN CERTIFICATE-----")
    assert made["private_key"].startswith("-----BEGIN")
    again = make(cloud, "d", public_key=made["public_key"], type="x509").body["keypair"]
    assert again["fingerprint"] == made["fingerprint"]
    assert make(cloud, "e", type="x509").status == 400
    assert make(cloud, "f", at="2.1", type="ssh").status == 400


def test_answers_change_their_codes_with_2_2(cloud: Client) -> None:
    assert [make(cloud, "a", at="2.1").status, make(cloud, "b", at="2.2").status] == [200, 201]
    codes = [cloud.delete(f"/os-keypairs/{n}", microversion=v).status for n, v in (("a", "2.1"), ("b", "2.2"))]
    assert codes == [202, 204]
    assert "type" not in make(cloud, "c", at="2.1").body["keypair"]


@pytest.mark.parametrize(
    "change",
    [{"name": ""}, {"name": "a/b"}, {"name": "x" * 256}, {"public_key": "ssh-rsa nonsense"}, {"public_key": "AAAA"},
     {"public_key": ""}, {"type": "pgp"}, {"unknown": 1}, {"public_key": "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ6x"}],
)  # fmt: skip
def test_nonsense_is_refused(cloud: Client, change: dict) -> None:  # type: ignore[type-arg]
    assert make(cloud, **({"name": "mine"} | change)).status == 400


def test_a_name_is_used_once_per_user(cloud: Client) -> None:
    assert [make(cloud).status, make(cloud).status] == [201, 409]
    assert make(cloud.as_reader()).status == 201


def test_keypairs_are_private(cloud: Client) -> None:
    make(cloud)
    assert cloud.as_stranger().get("/os-keypairs/mine").status == 404
    assert cloud.as_stranger().get("/os-keypairs").body == {"keypairs": []}
    member = cloud.facts["member"]
    other = cloud.as_stranger().get(f"/os-keypairs?user_id={member}", microversion="2.10")
    assert other.status == 403


def test_an_administrator_may_act_for_a_user_from_2_10(cloud: Client) -> None:
    admin, member = cloud.as_admin(), cloud.facts["member"]
    assert make(admin, user_id=member, at="2.9").status == 400
    assert make(admin, user_id=member).body["keypair"]["user_id"] == member
    assert cloud.get("/os-keypairs/mine").status == 200
    assert admin.get(f"/os-keypairs/mine?user_id={member}", microversion="2.9").status == 404
    assert admin.get(f"/os-keypairs/mine?user_id={member}", microversion="2.10").status == 200
    assert len(admin.get(f"/os-keypairs?user_id={member}", microversion="2.10").body["keypairs"]) == 1
    assert make(cloud.as_stranger(), user_id=member).status == 403
    assert admin.delete(f"/os-keypairs/mine?user_id={member}", microversion="2.10").status == 204


def test_keypairs_are_paged_from_2_35(cloud: Client) -> None:
    for name in "bca":
        make(cloud, name)

    def names(query: str, at: str) -> list[str]:
        return [k["keypair"]["name"] for k in cloud.get(f"/os-keypairs{query}", microversion=at).body["keypairs"]]

    assert names("?limit=2", "2.35") == ["a", "b"]
    assert names("?limit=2&marker=b", "2.35") == ["c"]
    assert names("?limit=2", "2.34") == ["a", "b", "c"]
    link = cloud.get("/os-keypairs?limit=2", microversion="2.35").body["keypairs_links"][0]["href"]
    assert "marker=b" in link
    assert cloud.get("/os-keypairs?marker=x", microversion="2.35").status == 400


def test_the_quota_counts_the_keys_of_the_user(cloud: Client) -> None:
    demo = cloud.facts["demo"]
    assert cloud.as_admin().put(f"/os-quota-sets/{demo}", {"quota_set": {"key_pairs": 1}}).status == 200
    assert make(cloud, "a").status == 201
    reply = make(cloud, "b")
    assert reply.status == 403
    assert "Quota exceeded, too many key pairs" in reply.body["forbidden"]["message"]
