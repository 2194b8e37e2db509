"""Identity providers, protocols, mappings, service providers; and signatures of EC2 and S3."""

import hmac
from base64 import b64encode
from hashlib import sha1, sha256
from typing import Any

from pilvi.identity.ec2_tokens.model import signing_key
from pilvi.kernel import clock
from tests.contract.identity.conftest import World, with_token

RULES = [{"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "REMOTE_USER"}]}]


def test_providers_protocols_and_mappings_live_and_die(world: World) -> None:
    base = "/OS-FEDERATION"
    made = world.admin.put(f"{base}/mappings/m", {"mapping": {"rules": RULES}})
    assert (made.status, made.body["mapping"]["rules"]) == (201, RULES)
    assert world.admin.put(f"{base}/mappings/m", {"mapping": {"rules": RULES}}).status == 409
    assert world.admin.put(f"{base}/mappings/n", {"mapping": {"rules": [{"local": []}]}}).status == 400
    assert world.admin.patch(f"{base}/mappings/m", {"mapping": {"id": "m", "rules": RULES}}).status == 200
    assert world.admin.put(f"{base}/mappings/n", {"mapping": {"id": "other", "rules": RULES}}).status == 400
    assert world.admin.put(f"{base}/mappings/n", {"mapping": {"id": "n", "rules": RULES}}).status == 201
    idp = world.admin.put(f"{base}/identity_providers/corp", {"identity_provider": {"remote_ids": ["https://corp"]}})
    provider = idp.body["identity_provider"]
    assert (idp.status, provider["enabled"], provider["remote_ids"]) == (201, False, ["https://corp"])
    assert world.admin.get(f"/domains/{provider['domain_id']}").status == 200
    taken = {"identity_provider": {"remote_ids": ["https://corp"]}}
    assert world.admin.put(f"{base}/identity_providers/copy", taken).status == 409
    path = f"{base}/identity_providers/corp/protocols/openid"
    assert world.admin.put(path, {"protocol": {"mapping_id": "nothing"}}).status == 400
    assert world.admin.put(path, {"protocol": {"mapping_id": "m"}}).status == 201
    assert world.admin.get(path).body["protocol"]["links"]["identity_provider"].endswith("/corp")
    assert [p["id"] for p in world.admin.get(path.removesuffix("/openid")).body["protocols"]] == ["openid"]
    assert world.admin.delete(path).status == 204
    changed = world.admin.patch(f"{base}/identity_providers/corp", {"identity_provider": {"enabled": True}})
    assert changed.body["identity_provider"]["enabled"] is True
    assert len(world.admin.get(f"{base}/identity_providers").body["identity_providers"]) == 1
    assert world.admin.delete(f"{base}/identity_providers/corp").status == 204
    assert world.admin.delete(f"{base}/mappings/m").status == 204
    assert world.admin.put(f"{base}/mappings/{'x' * 65}", {"mapping": {"rules": RULES}}).status == 400


def test_service_providers_live_and_die(world: World) -> None:
    path = "/OS-FEDERATION/service_providers/other"
    body = {"service_provider": {"auth_url": "https://o/auth", "sp_url": "https://o/sp"}}
    made = world.admin.put(path, body)
    assert (made.status, made.body["service_provider"]["relay_state_prefix"]) == (201, "ss:mem:")
    assert world.admin.patch(path, {"service_provider": {"enabled": True}}).body["service_provider"]["enabled"] is True
    assert world.admin.put(path, body).status == 409
    assert world.admin.get(path).body["service_provider"]["sp_url"] == "https://o/sp"
    listed = world.admin.get("/OS-FEDERATION/service_providers?enabled=true").body["service_providers"]
    assert [provider["id"] for provider in listed] == ["other"]
    assert world.admin.get("/OS-FEDERATION/service_providers?enabled=false").body["service_providers"] == []
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404


def pair_of(world: World) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    user, project = world.member()
    me = with_token(world.admin, world.project_token(user, project))
    pair = me.post(f"/users/{user['id']}/credentials/OS-EC2", {"tenant_id": project["id"]}).body["credential"]
    return user, project, pair


def test_an_ec2_signature_is_worth_a_token_to_a_service(world: World) -> None:
    user, project, pair = pair_of(world)
    now = clock.timestamp()
    date = now[:19].replace("-", "").replace(":", "") + "Z"
    scope = f"{date[:8]}/RegionOne/ec2/aws4_request"
    headers = {"host": "api", "x-amz-date": date}
    request = "\n".join(["GET", "/", "a=1", f"host:api\nx-amz-date:{date}\n", "host;x-amz-date", "hash"])
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, sha256(request.encode()).hexdigest()])
    signature = hmac.new(signing_key(pair["secret"], scope), text.encode(), sha256).hexdigest()
    authorization = (
        f"AWS4-HMAC-SHA256 Credential={pair['access']}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}"
    )
    signed = {
        "access": pair["access"], "verb": "GET", "host": "api", "path": "/", "params": {"a": "1"},
        "headers": {**headers, "Authorization": authorization}, "body_hash": "hash", "signature": "",
    }  # fmt: skip
    reply = world.admin.post("/ec2tokens", {"credentials": signed})
    assert reply.status == 200, reply.content
    assert reply.body["token"]["user"]["id"] == user["id"]
    assert reply.body["token"]["project"]["id"] == project["id"]
    assert reply.body["token"]["methods"] == ["ec2credential"]
    forged = {**signed, "params": {"a": "2"}}
    assert world.admin.post("/ec2tokens", {"credentials": forged}).status == 401
    assert world.admin.anonymous().post("/ec2tokens", {"credentials": signed}).status == 401
    me = with_token(world.admin, world.project_token(user, project))
    assert me.post("/ec2tokens", {"credentials": signed}).status == 403


def test_an_s3_signature_is_worth_a_token_to_a_service(world: World) -> None:
    user, _, pair = pair_of(world)
    text = b"GET\n\n\nSun, 22 Nov 2026 15:00:00 GMT\n/bucket/key"
    signature = b64encode(hmac.new(pair["secret"].encode(), text, sha1).digest()).decode()
    given = {"access": pair["access"], "token": b64encode(text).decode(), "signature": signature}
    reply = world.admin.post("/s3tokens", {"credentials": given})
    assert (reply.status, reply.body["token"]["user"]["id"]) == (200, user["id"])
    wrong = {**given, "signature": b64encode(b"x" * 20).decode()}
    assert world.admin.post("/s3tokens", {"credentials": wrong}).status == 401
    assert world.admin.post("/s3tokens", {"credentials": {}}).status == 400
