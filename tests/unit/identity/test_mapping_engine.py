"""The rule engine of federation, and the names under which claims are known."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilvi.identity.federated_logins.model import Asserted, Sso, handover, public_id
from pilvi.identity.mappings.model import Mapping
from pilvi.identity.mappings.model.engine import Mapped, MappedGroup, MappedProject, MappedUser, Place, apply
from pilvi.kernel.errors import Unauthorized

ASSERTED = Asserted(
    {"sub": "u-1", "email": "eve@corp.example", "groups": ["staff", "blue team"], "vip": True, "level": 7, "x": None}
)
NAMED = {"local": [{"user": {"name": "{0}"}}], "remote": [{"type": "sub"}]}


def mapped(*rules: dict[str, Any], version: str = "1.0") -> Mapped:
    return apply(Mapping("m", version, list(rules)), ASSERTED)


def holds(**condition: Any) -> bool:
    rule = {"local": [{"user": {"name": "someone"}}], "remote": [{"type": "groups", **condition}]}
    try:
        return mapped(rule).user == MappedUser(name="someone")
    except Unauthorized:
        return False


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"type": "missing"}, False),
        ({"any_one_of": ["staff"]}, True),
        ({"any_one_of": ["sta"]}, False),
        ({"any_one_of": ["^sta"], "regex": True}, True),
        ({"any_one_of": []}, False),
        ({"not_any_of": ["staff"]}, False),
        ({"not_any_of": ["red"]}, True),
        ({"not_any_of": ["team$"], "regex": True}, False),
        ({"whitelist": ["nobody"]}, True),
        ({"type": "vip", "any_one_of": ["true"]}, True),
        ({"type": "level", "any_one_of": ["7"]}, True),
        ({"type": "x"}, False),
    ],
)
def test_conditions(condition: dict[str, Any], expected: bool) -> None:
    assert holds(**condition) is expected


def test_all_conditions_of_a_rule_must_hold_and_those_that_only_check_are_not_counted() -> None:
    rule = {
        "local": [{"user": {"name": "{0}/{1}", "email": "{1}", "id": "{0}"}}],
        "remote": [{"type": "groups", "any_one_of": ["staff"]}, {"type": "sub"}, {"type": "email"}],
    }
    assert mapped(rule).user == MappedUser("u-1", "u-1/eve@corp.example", "eve@corp.example")
    with pytest.raises(Unauthorized, match="No rule"):
        mapped({**rule, "remote": [*rule["remote"], {"type": "missing"}]})


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["staff", "blue team"]),
        ({"whitelist": ["staff", "red"]}, ["staff"]),
        ({"blacklist": ["staff"]}, ["blue team"]),
        ({"whitelist": ["TEAM"], "regex": True}, []),
        ({"whitelist": ["(?i)TEAM"], "regex": True}, ["blue team"]),
        ({"blacklist": [" "], "regex": True}, ["staff"]),
    ],
)
def test_groups_by_name_are_filtered(filters: dict[str, Any], names: list[str]) -> None:
    rule = {"local": [{"groups": "{0}", "domain": {"name": "far"}}], "remote": [{"type": "groups", **filters}]}
    assert mapped(NAMED, rule).groups == [MappedGroup(name=n, domain=Place(name="far")) for n in names]


def test_groups_come_by_id_too_and_from_all_rules() -> None:
    one = {"local": [{"group": {"id": "g1"}}], "remote": [{"type": "sub"}]}
    two = {"local": [{"group_ids": "{0}"}], "remote": [{"type": "groups"}]}
    three = {"local": [{"group": {"name": "g3", "domain": {"id": "d"}}}], "remote": [{"type": "sub"}]}
    four = {"local": [{"groups": "a; b", "domain": {"id": "d"}}], "remote": [{"type": "sub"}]}
    d = Place(id="d")
    assert mapped(NAMED, one, two, three, four).groups == [
        MappedGroup(id="g1"), MappedGroup(id="staff"), MappedGroup(id="blue team"), MappedGroup(name="g3", domain=d),
        MappedGroup(name="a", domain=d), MappedGroup(name="b", domain=d),
    ]  # fmt: skip


def test_the_first_user_counts() -> None:
    other = {"local": [{"user": {"name": "later"}}], "remote": [{"type": "sub"}]}
    assert mapped(NAMED, other).user.name == "u-1"
    assert mapped({"local": [{"user": {}}], "remote": [{"type": "sub"}]}, other).user.name == "later"


def test_domains_of_users_and_projects_count_in_the_newer_schema_only() -> None:
    project = {"name": "lab", "roles": [{"name": "member"}]}
    local = {"user": {"name": "{0}"}, "projects": [project], "domain": {"name": "far"}}
    rule = {"local": [local], "remote": [{"type": "sub"}]}
    old, new = mapped(rule), mapped(rule, version="2.0")
    assert (old.user.domain, old.projects[0].domain) == (Place(), Place())
    assert (new.user.domain, new.projects) == (
        Place(name="far"), [MappedProject("lab", ("member",), Place(name="far"))]
    )  # fmt: skip


def test_a_local_user_is_in_the_domain_named() -> None:
    user = {"name": "{0}", "type": "local", "domain": {"id": "default"}}
    rule = {"local": [{"user": user}], "remote": [{"type": "REMOTE_USER"}]}
    assert mapped(rule).user == MappedUser(name="u-1", domain=Place(id="default"), is_local=True)


@pytest.mark.parametrize(
    "local",
    [
        {"user": {"name": "{3}"}},
        {"user": {"name": "of {0}"}},
        {"user": {"name": 7}},
        {"groups": "{0}"},
        {"group": {"name": "x"}},
        {"projects": ["x"]},
    ],
)
def test_a_mapping_that_makes_no_sense_says_so(local: dict[str, Any]) -> None:
    with pytest.raises(Unauthorized, match="cannot be applied"):
        mapped(NAMED, {"local": [local], "remote": [{"type": "groups"}]})


@pytest.mark.parametrize("name", ["email", "OIDC-email", "HTTP_OIDC_EMAIL", "OIDC_CLAIM_email", "oidc_claim_EMAIL"])
def test_a_claim_has_the_names_that_web_servers_give_it(name: str) -> None:
    assert ASSERTED[name] == ["eve@corp.example"]


@settings(suppress_health_check=[HealthCheck.too_slow])  # A busy machine is no fault of the code.
@given(
    st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4))
)
def test_any_claims_can_be_read(claims: dict[str, Any]) -> None:
    asserted = Asserted(claims)
    assert all(isinstance(text, str) for values in asserted.values() for text in values)
    assert len(asserted) == len(list(asserted))


def test_ids_from_elsewhere_are_stable_and_apart() -> None:
    assert public_id("a", "b") == public_id("a", "b") != public_id("ab")
    assert len(public_id("a")) == 64


def test_the_page_and_the_challenge() -> None:
    page, allowed = handover('https://x/"><b>', "t")
    assert b'"><b>' not in page
    assert "default-src 'none'" in allowed
    sso = Sso("i", "p", "o", "s", "n", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", 0.0)
    assert sso.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"  # RFC 7636, appendix B
