"""`pilvi policy explain` and `who-can` on the real rules and the real database."""

import pytest

from pilvi.kernel.config import ConfigError
from pilvi.ops import policy
from tests.contract.client import Client

CREATE = "os_compute_api:servers:create"


def test_who_can_names_those_with_the_role_and_nobody_else(cloud: Client) -> None:
    rule = policy.rule(CREATE)
    found = "\n".join(cloud.database.read(lambda tx: list(policy.who_can(tx, rule))))
    for allowed in ("admin@Default  project admin", "member@Default  project demo", "stranger@Default  project other"):
        assert allowed in found
    assert "reader@Default" not in found
    of_demo = "\n".join(cloud.database.read(lambda tx: list(policy.who_can(tx, rule, "demo"))))
    assert "member@Default  project demo" in of_demo
    assert "stranger@Default" not in of_demo


@pytest.mark.parametrize(("user", "allowed"), [("member", True), ("reader", False)])
def test_explain_says_what_the_api_does(cloud: Client, user: str, allowed: bool) -> None:
    ctx = policy.context(cloud.database.read(lambda tx: policy.caller(tx, user, project="demo")))
    verdict = policy.explain(policy.rule(CREATE), ctx, policy.own_target(ctx))
    assert verdict.allowed is allowed
    text = "\n".join(verdict.lines)
    assert "no     role:admin" in text
    assert f"{'yes' if allowed else 'no '}      role:member" in text
    assert ("ALLOWED by the default" if allowed else "DENIED by the default") in text
    project = cloud.at("/network/v2.0").as_(user).post("/networks", {"network": {"name": "n"}})
    assert (project.status == 201) is allowed  # the same default as for servers


def test_explain_names_a_wrong_scope(cloud: Client) -> None:
    ctx = policy.context(cloud.database.read(lambda tx: policy.caller(tx, "admin", system=True)))
    verdict = policy.explain(policy.rule(CREATE), ctx, {"project_id": "p"})
    assert not verdict.allowed
    assert "this rule is for project" in "\n".join(verdict.lines)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"user": "nobody"}, "There is no user nobody"),
        ({"user": "member", "project": "nowhere"}, "There is no project nowhere"),
        ({"user": "member", "project": "other"}, "cannot have a token for project other"),
    ],
)
def test_questions_about_nobody_say_so(cloud: Client, words: dict[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        cloud.database.read(lambda tx: policy.caller(tx, words["user"], project=words.get("project", "")))


def test_an_unknown_rule_is_answered_with_close_ones() -> None:
    with pytest.raises(ConfigError, match="os_compute_api:servers:create"):
        policy.rule("os_compute_api:server:create")


def test_the_listing_is_a_file_that_reads_as_the_same_rules() -> None:
    import yaml  # type: ignore[import-untyped]

    from pilvi.kernel.policy import RULES
    from pilvi.kernel.policy_language import parse

    lines = [line.removeprefix("# ") for line in policy.listing("") if '": "' in line]
    texts = yaml.safe_load("\n".join(lines))
    assert len(texts) == len(RULES)
    for name, text in texts.items():
        assert parse(text).text == RULES[name].default.text
