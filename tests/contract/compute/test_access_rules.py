"""An application credential with access rules may do what they say and nothing else, at every service."""

from tests.contract.client import Client

RULE = {"service": "compute", "method": "GET", "path": "/v2.1/servers"}


def test_access_rules_are_enforced_where_the_request_is_made(cloud: Client) -> None:
    identity = cloud.at("/identity/v3")
    body = {"application_credential": {"name": "narrow", "access_rules": [RULE]}}
    made = identity.post(f"/users/{cloud.facts['member']}/application_credentials", body)
    assert made.status == 201, made.content
    credential = made.body["application_credential"]
    who = {"id": credential["id"], "secret": credential["secret"]}
    login = {"auth": {"identity": {"methods": ["application_credential"], "application_credential": who}}}
    answer = cloud.anonymous().at("/identity/v3").post("/auth/tokens", login)
    assert answer.status == 201, answer.content
    narrow = Client(cloud.app, {}, "/compute/v2.1", answer.headers["x-subject-token"])
    assert narrow.get("/servers").status == 200
    assert narrow.get("/flavors").status == 401
    assert narrow.post("/servers", {"server": {}}).status == 401
    assert narrow.at("/network/v2.0").get("/networks").status == 401
    assert narrow.at("/image/v2").get("/images").status == 401
