"""Services, endpoints, regions, endpoint filters; and what is kept for others, such as credentials."""

from typing import Any

from tests.contract.client import Client
from tests.contract.identity.conftest import World, by_password, log_in, with_token


def test_services_endpoints_and_regions_live_and_die(world: World) -> None:
    service = world.make("/services", "service", type="dns", name="designate", flavour="sweet")
    assert world.admin.get(f"/services/{service['id']}").body["service"] == service
    assert service["flavour"] == "sweet"
    assert [s["id"] for s in world.admin.get("/services?type=dns").body["services"]] == [service["id"]]
    region = world.make("/regions", "region", id="North", description="cold")
    assert world.admin.post("/regions", {"region": {"id": "North"}}).status == 409
    assert world.admin.put("/regions/South", {"region": {"parent_region_id": "North"}}).status == 201
    assert world.admin.delete("/regions/North").status == 403
    made = world.make(
        "/endpoints", "endpoint", service_id=service["id"], interface="public", url="http://dns", region_id="South"
    )
    assert (made["region"], made["region_id"], made["enabled"]) == ("South", "South", True)
    assert [e["id"] for e in world.admin.get("/endpoints?region_id=South").body["endpoints"]] == [made["id"]]
    assert world.admin.delete("/regions/South").status == 403
    changed = world.admin.patch(f"/endpoints/{made['id']}", {"endpoint": {"url": "http://other"}})
    assert changed.body["endpoint"]["url"] == "http://other"
    bad = {"endpoint": {"service_id": service["id"], "interface": "secret", "url": "http://x"}}
    assert world.admin.post("/endpoints", bad).status == 400
    assert world.admin.delete(f"/services/{service['id']}").status == 204
    assert world.admin.get(f"/endpoints/{made['id']}").status == 404
    assert world.admin.delete("/regions/South").status == 204
    assert region["parent_region_id"] is None


def test_a_disabled_service_is_not_in_the_catalog(world: World) -> None:
    user, project = world.member()
    (image,) = world.admin.get("/services?type=image").body["services"]
    world.admin.patch(f"/services/{image['id']}", {"service": {"enabled": False}})
    me = with_token(world.admin, world.project_token(user, project))
    assert "image" not in [s["type"] for s in me.get("/auth/catalog").body["catalog"]]


def test_an_endpoint_filter_narrows_the_catalog_of_a_project(world: World) -> None:
    user, project = world.member()
    (compute,) = world.admin.get("/services?type=compute").body["services"]
    group = world.make(
        "/OS-EP-FILTER/endpoint_groups", "endpoint_group", name="c", filters={"service_id": compute["id"]}
    )
    path = f"/OS-EP-FILTER/endpoint_groups/{group['id']}"
    assert world.admin.put(f"{path}/projects/{project['id']}").status == 204
    assert world.admin.request("HEAD", f"{path}/projects/{project['id']}").status == 200
    me = with_token(world.admin, world.project_token(user, project))

    def seen() -> list[str]:
        return [s["type"] for s in me.get("/auth/catalog").body["catalog"] if s["endpoints"]]

    assert seen() == ["compute"]
    (identity,) = world.admin.get("/services?type=identity").body["services"]
    endpoint = world.admin.get(f"/endpoints?service_id={identity['id']}").body["endpoints"][0]
    one = f"/OS-EP-FILTER/projects/{project['id']}/endpoints/{endpoint['id']}"
    assert world.admin.put(one).status == 204
    assert world.admin.request("HEAD", one).status == 204
    assert seen() == ["compute", "identity"]
    assert len(world.admin.get(f"/OS-EP-FILTER/projects/{project['id']}/endpoints").body["endpoints"]) == 4
    assert world.admin.delete(one).status == 204
    wide = world.admin.patch(path, {"endpoint_group": {"filters": {}}})
    assert (wide.status, wide.body["endpoint_group"]["filters"]) == (200, {})
    assert len(seen()) >= 5
    assert world.admin.delete(path).status == 204
    assert len(seen()) >= 5
    for filters in ({"colour": "red"}, {}):
        bad = {"endpoint_group": {"name": "x", "filters": filters}}
        assert world.admin.post("/OS-EP-FILTER/endpoint_groups", bad).status == 400


def test_credentials_are_encrypted_at_rest_and_for_their_owner(world: World, cloud: Client) -> None:
    from pilvi.identity.credentials import store

    ann, lab = world.member()
    bob, elsewhere = world.member("bob")
    me = with_token(world.admin, world.project_token(ann, lab))
    other = with_token(world.admin, world.project_token(bob, elsewhere))
    made = me.post("/credentials", {"credential": {"type": "totp", "blob": "JBSWY3DP"}}).body["credential"]
    assert (made["user_id"], made["blob"]) == (ann["id"], "JBSWY3DP")
    kept = cloud.database.read(lambda tx: store.find(tx, made["id"]))
    assert kept is not None
    assert "JBSWY3DP" not in kept.encrypted_blob
    path = f"/credentials/{made['id']}"
    assert other.get(path).status == 403
    assert other.post("/credentials", {"credential": {"type": "totp", "blob": "x", "user_id": ann["id"]}}).status == 403
    assert [c["id"] for c in me.get("/credentials").body["credentials"]] == [made["id"]]
    assert other.get("/credentials").body["credentials"] == []
    assert other.get(f"/credentials?user_id={ann['id']}").status == 403
    assert me.patch(path, {"credential": {"blob": "new"}}).body["credential"]["blob"] == "new"
    assert me.delete(path).status == 204
    bad = {"credential": {"type": "ec2", "blob": "{}", "project_id": lab["id"]}}
    assert me.post("/credentials", bad).status == 400


def test_ec2_pairs_are_made_listed_and_deleted(world: World) -> None:
    ann, lab = world.member()
    me = with_token(world.admin, world.project_token(ann, lab))
    path = f"/users/{ann['id']}/credentials/OS-EC2"
    made = me.post(path, {"tenant_id": lab["id"]})
    pair = made.body["credential"]
    assert (made.status, pair["tenant_id"]) == (201, lab["id"])
    assert me.get(f"{path}/{pair['access']}").body["credential"] == pair
    assert me.get(path).body["credentials"] == [pair]
    assert me.post(path, {"tenant_id": "0" * 32}).status == 404
    assert me.delete(f"{path}/{pair['access']}").status == 204
    assert me.get(f"{path}/{pair['access']}").status == 404


def test_policies_keep_documents(world: World) -> None:
    made = world.make("/policies", "policy", type="application/json", blob="{}")
    path = f"/policies/{made['id']}"
    assert world.admin.patch(path, {"policy": {"blob": "x"}}).body["policy"]["blob"] == "x"
    assert [p["id"] for p in world.admin.get("/policies?type=application/json").body["policies"]] == [made["id"]]
    assert world.admin.delete(path).status == 204
    assert world.admin.get(path).status == 404


def test_a_domain_has_a_configuration_without_its_secrets(world: World) -> None:
    domain = world.domain()
    path = f"/domains/{domain['id']}/config"
    config: dict[str, Any] = {"ldap": {"url": "ldap://x", "password": "hush"}, "identity": {"driver": "ldap"}}
    assert world.admin.get(path).status == 404
    made = world.admin.put(path, {"config": config})
    assert made.status == 201
    assert made.body["config"] == {"ldap": {"url": "ldap://x"}, "identity": {"driver": "ldap"}}
    assert world.admin.get(f"{path}/ldap/url").body["config"] == {"url": "ldap://x"}
    assert world.admin.patch(f"{path}/ldap/url", {"config": {"url": "ldap://y"}}).status == 200
    assert world.admin.get(f"{path}/ldap").body["config"] == {"ldap": {"url": "ldap://y"}}
    assert world.admin.patch(f"{path}/ldap/url", {"config": {"user": "z"}}).status == 403
    assert world.admin.put(path, {"config": {"fantasy": {"a": 1}}}).status == 403
    assert world.admin.delete(f"{path}/identity").status == 204
    assert world.admin.get(f"{path}/identity").status == 404
    assert world.admin.get("/domains/config/identity/driver/default").body["config"] == {"driver": "sql"}
    assert world.admin.get("/domains/config/default").status == 200


def test_version_documents_need_no_token(admin: Client) -> None:
    root = admin.at("/identity").anonymous()
    assert root.get("").status == 300
    assert root.get("").body["versions"]["values"][0]["id"] == "v3.14"
    assert root.get("/v3").body["version"]["links"][0]["href"].endswith("/identity/v3/")
    home = root.get("/v3", headers={"Accept": "application/json-home"})
    assert "https://docs.openstack.org/api/openstack-identity/3/rel/auth_tokens" in home.body["resources"]


def test_errors_have_one_shape(admin: Client) -> None:
    for reply, status in (
        (admin.get("/users/nobody"), 404), (admin.get("/nothing"), 404), (admin.post("/users", {}), 400),
        (admin.anonymous().get("/users"), 401), (admin.request("PUT", "/users"), 405),
        (admin.request("POST", "/users", raw=b"{"), 400),
    ):  # fmt: skip
        assert reply.status == status
        assert set(reply.body["error"]) == {"code", "message", "title"}
        assert reply.body["error"]["code"] == status


def test_oauth_consumers_show_their_secret_once(world: World) -> None:
    made = world.make("/OS-OAUTH1/consumers", "consumer", description="c")
    assert made["secret"]
    path = f"/OS-OAUTH1/consumers/{made['id']}"
    assert "secret" not in world.admin.get(path).body["consumer"]
    listed = world.admin.get("/OS-OAUTH1/consumers").body["consumers"]
    assert [(one["id"], "secret" in one) for one in listed] == [(made["id"], False)]
    assert world.admin.patch(path, {"consumer": {"description": "d"}}).body["consumer"]["description"] == "d"
    assert world.admin.patch(path, {"consumer": {"secret": "mine"}}).status == 400
    assert world.admin.delete(path).status == 204


def test_a_reader_of_the_system_sees_and_changes_nothing(world: World) -> None:
    user = world.user()
    world.grant(f"/system/users/{user['id']}/roles/{world.roles['reader']}")
    reply = log_in(world.admin, by_password(user["id"], "secret"), {"system": {"all": True}})
    me = with_token(world.admin, next(v for n, v in reply.headers.items() if n.lower() == "x-subject-token"))
    for path in (
        "/users",
        "/projects",
        "/domains",
        "/roles",
        "/services",
        "/endpoints",
        "/role_assignments",
        "/policies",
    ):
        assert me.get(path).status == 200, path
    assert me.post("/users", {"user": {"name": "x", "domain_id": "default"}}).status == 403
    assert me.post("/services", {"service": {"type": "x"}}).status == 403
