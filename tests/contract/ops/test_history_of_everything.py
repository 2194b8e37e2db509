"""Whatever the API changes is found by `history`, `show --at` and `why`, by its id and by its name."""

from typing import Any

from pilvi.kernel import clock
from pilvi.ops.explain import service
from tests.contract.client import Client

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ8eDPG+ZWZJy5bXnfsXNmhTuXRRwzVvE6OJwJxRvXKl me@here"


def fields(cloud: Client, what: str, kind: str, moment: str | None = None) -> dict[str, Any]:
    found = cloud.database.read(lambda tx: service.state_at(tx, what, moment or clock.timestamp()))
    [one] = [past for past in found if past.kind == kind]
    return one.state.fields if one.state.exists else {}


def changes(cloud: Client, what: str, kind: str) -> list[dict[str, Any]]:
    found = cloud.database.read(lambda tx: service.history_of(tx, what, 100))
    [page] = [page for page in found if page.kind == kind]
    return [(event.detail or {})["changes"] for event in page.events]


def test_members_of_a_group_and_what_it_may(cloud: Client) -> None:
    identity = cloud.as_admin().at("/identity/v3")
    user, project = cloud.facts["member"], cloud.facts["demo"]
    group = identity.post("/groups", {"group": {"name": "crew", "domain_id": "default"}}).body["group"]["id"]
    role = identity.post("/roles", {"role": {"name": "pilot"}}).body["role"]["id"]
    assert identity.put(f"/groups/{group}/users/{user}").status == 204
    joined = clock.timestamp()
    assert identity.put(f"/projects/{project}/groups/{group}/roles/{role}").status == 204
    assert identity.delete(f"/groups/{group}/users/{user}").status == 204
    granted = f"role {role} on project {project} inherited False"
    assert changes(cloud, "crew", "group")[1:] == [
        {f"member {user}": [None, True]}, {granted: [None, True]}, {f"member {user}": [True, None]},
    ]  # fmt: skip
    assert fields(cloud, group, "group", joined)[f"member {user}"] is True
    assert granted not in fields(cloud, group, "group", joined)
    assert f"member {user}" not in fields(cloud, group, "group")
    assert fields(cloud, group, "group")[granted] is True
    assert {f"role {role} of group {group} inherited False": [None, True]} in changes(cloud, project, "project")
    before = clock.timestamp()
    assert identity.delete(f"/roles/{role}").status == 204
    assert granted not in fields(cloud, group, "group")
    assert fields(cloud, group, "group", before)[granted] is True
    assert fields(cloud, "pilot", "role") == {}
    assert fields(cloud, "pilot", "role", before)["name"] == "pilot"


def test_credentials_and_trusts_without_their_secrets(cloud: Client) -> None:
    own = cloud.at("/identity/v3")
    user = cloud.facts["member"]
    body = {"application_credential": {"name": "robot", "secret": "a-secret-nobody-tells"}}
    made = own.post(f"/users/{user}/application_credentials", body).body["application_credential"]["id"]
    [created] = changes(cloud, "robot", "application_credential")
    assert created["secret_hash"] == [None, "(hidden)"]
    assert fields(cloud, made, "application_credential")["user_id"] == user
    pair = own.post(f"/users/{user}/credentials/OS-EC2", {"tenant_id": cloud.facts["demo"]}).body["credential"]
    events = cloud.database.read(lambda tx: service.explain(tx, user))
    assert pair["secret"] not in str(events)
    admin = cloud.as_admin().at("/identity/v3")
    credential = admin.get("/credentials").body["credentials"][0]["id"]
    assert changes(cloud, credential, "credential")[0]["encrypted_blob"] == [None, "(hidden)"]
    config = {"config": {"ldap": {"url": "ldap://nowhere", "user_tree_dn": "ou=u"}}}
    domain = admin.post("/domains", {"domain": {"name": "elsewhere", "enabled": False}}).body["domain"]["id"]
    assert admin.put(f"/domains/{domain}/config", config).status in (200, 201)
    assert changes(cloud, "elsewhere", "project")[-1] == {"domain configuration": [None, "(hidden)"]}


def test_the_catalog_limits_and_quotas(cloud: Client) -> None:
    identity = cloud.as_admin().at("/identity/v3")
    made = identity.post("/services", {"service": {"type": "dns", "name": "names"}}).body["service"]["id"]
    endpoint = {"interface": "public", "url": "http://dns", "service_id": made}
    point = identity.post("/endpoints", {"endpoint": endpoint}).body["endpoint"]["id"]
    then = clock.timestamp()
    assert identity.patch(f"/endpoints/{point}", {"endpoint": {"url": "http://dns2"}}).status == 200
    assert changes(cloud, point, "endpoint")[-1] == {"url": ["http://dns", "http://dns2"]}
    assert fields(cloud, point, "endpoint", then)["url"] == "http://dns"
    assert fields(cloud, "names", "service")["type"] == "dns"
    project = cloud.facts["demo"]
    assert cloud.as_admin().put(f"/os-quota-sets/{project}", {"quota_set": {"cores": 7, "force": True}}).status == 200
    then = clock.timestamp()
    assert cloud.as_admin().put(f"/os-quota-sets/{project}", {"quota_set": {"cores": 9, "force": True}}).status == 200
    assert changes(cloud, project, "project")[-1] == {"quota compute cores": [7, 9]}
    assert fields(cloud, project, "project", then)["quota compute cores"] == 7


def test_placement_with_its_parts(cloud: Client) -> None:
    placement = cloud.as_admin().at("/placement")
    ask: dict[str, Any] = {"microversion": "1.39"}
    provider = "11111111-2222-4333-8444-555555555555"
    assert placement.post("/resource_providers", {"name": "shelf", "uuid": provider}, **ask).status == 200
    stock = {"resource_provider_generation": 0, "inventories": {"DISK_GB": {"total": 100}}}
    assert placement.put(f"/resource_providers/{provider}/inventories", stock, **ask).status == 200
    then = clock.timestamp()
    more = {"resource_provider_generation": 1, "inventories": {"DISK_GB": {"total": 200}}}
    assert placement.put(f"/resource_providers/{provider}/inventories", more, **ask).status == 200
    traits = {"resource_provider_generation": 2, "traits": ["HW_CPU_X86_AVX2"]}
    assert placement.put(f"/resource_providers/{provider}/traits", traits, **ask).status == 200
    consumer = "99999999-2222-4333-8444-555555555555"
    held = {
        "allocations": {provider: {"resources": {"DISK_GB": 5}}}, "project_id": "p", "user_id": "u",
        "consumer_generation": None, "consumer_type": "INSTANCE",
    }  # fmt: skip
    assert placement.put(f"/allocations/{consumer}", held, **ask).status == 204
    assert fields(cloud, "shelf", "resource_provider", then)["inventory DISK_GB"]["total"] == 100
    now = fields(cloud, provider, "resource_provider")
    assert (now["inventory DISK_GB"]["total"], now["trait HW_CPU_X86_AVX2"]) == (200, True)
    assert fields(cloud, consumer, "consumer")[f"DISK_GB of {provider}"] == 5
    then = clock.timestamp()
    assert placement.delete(f"/allocations/{consumer}", **ask).status == 204
    assert fields(cloud, consumer, "consumer") == {}
    assert fields(cloud, consumer, "consumer", then)[f"DISK_GB of {provider}"] == 5


def test_keypairs_and_what_describes_metadata(cloud: Client) -> None:
    body = {"keypair": {"name": "mine", "public_key": KEY}}
    assert cloud.post("/os-keypairs", body, microversion="2.2").status == 201
    then = clock.timestamp()
    assert cloud.delete("/os-keypairs/mine", microversion="2.2").status == 204
    gone = cloud.database.read(lambda tx: service.history_of(tx, "mine", 10))
    [page] = [page for page in gone if page.kind == "keypair"]
    assert [event.step for event in page.events] == [
        "api compute POST /os-keypairs", "api compute DELETE /os-keypairs/{name}",
    ]  # fmt: skip
    assert fields(cloud, "mine", "keypair", then)["public_key"].startswith("ssh-ed25519")
    image = cloud.as_admin().at("/image/v2")
    assert image.post("/metadefs/namespaces", {"namespace": "Own::Things"}).status == 201
    assert image.post("/metadefs/namespaces/Own::Things/tags/fast").status == 201
    assert "tag fast" in fields(cloud, "Own::Things", "metadef_namespace")


def test_why_tells_of_what_has_no_story_of_its_own(cloud: Client) -> None:
    identity = cloud.as_admin().at("/identity/v3")
    role = identity.post("/roles", {"role": {"name": "pilot"}}).body["role"]["id"]
    for what in (role, "pilot"):
        [story] = cloud.database.read(lambda tx, w=what: service.explain(tx, w))  # type: ignore[misc]
        assert (story.kind, story.id, story.headline) == ("role", role, "role pilot is there; nothing is wrong.")
    net = cloud.as_admin().at("/network/v2.0")
    assert net.post("/address-scopes", {"address_scope": {"name": "reach", "ip_version": 4}}).status == 201
    pool = {"name": "pool", "prefixes": ["10.0.0.0/8"], "default_prefixlen": 24}
    assert net.post("/subnetpools", {"subnetpool": pool}).status == 201
    flavor = {"name": "tiny-one", "ram": 64, "vcpus": 1, "disk": 1}
    assert cloud.as_admin().post("/flavors", {"flavor": flavor}).status == 200
    named = {"member": "user", "demo": "project", "reach": "address_scope", "pool": "subnetpool", "tiny-one": "flavor"}
    for name, kind in named.items():
        stories = cloud.database.read(lambda tx, n=name: service.explain(tx, n))  # type: ignore[misc]
        assert kind in {story.kind for story in stories}, name
        assert fields(cloud, name, kind)["name"] == name
