"""The language of rules: what upstream's documents say holds, and what is wrong says where."""

from typing import Any

import pytest

from pilvi.kernel.context import Context, Principal
from pilvi.kernel.policy_language import LONGEST, PolicyError, parse


def caller(**values: Any) -> Context:
    roles = frozenset(values.pop("roles", ("member", "reader")))
    service_roles = frozenset(values.pop("service_roles", ()))
    return Context("req-1", Principal(user_id="u1", project_id="p1", roles=roles, **values), service_roles)


@pytest.mark.parametrize(
    ("text", "target", "holds"),
    [
        ("", {}, True),
        ("@", {}, True),
        ("!", {}, False),
        ("role:member", {}, True),
        ("role:MEMBER", {}, True),
        ("role:admin", {}, False),
        ("not role:admin", {}, True),
        ("not role:admin and role:member", {}, True),
        ("role:admin or role:member and role:nothing", {}, False),
        ("(role:admin or role:member) and role:reader", {}, True),
        ("NOT role:admin AND role:reader", {}, True),
        ("project_id:%(project_id)s", {"project_id": "p1"}, True),
        ("tenant_id:%(tenant_id)s", {"project_id": "p1"}, True),
        ("project_id:%(project_id)s", {"project_id": "p2"}, False),
        ("project_id:%(project_id)s", {}, False),
        ("user_id:%(target.credential.user_id)s", {"user_id": "u1"}, True),
        ("domain_id:%(target.user.domain_id)s", {"domain_id": "d1"}, False),
        ("project_id:p1", {}, True),
        ("'public':%(visibility)s", {"visibility": "public"}, True),
        ('"a b":%(name)s', {"name": "a b"}, True),
        ("True:%(is_member)s", {"is_member": True}, True),
        ("True:%(is_member)s", {"is_member": False}, False),
        ("None:%(target.role.domain_id)s", {}, True),
        ("domain_id:None", {}, True),
        ("field:networks:shared=True", {"shared": True}, True),
        ("field:networks:router:external=True", {"router_external": True}, True),
        ("field:networks:shared=True", {"shared": False}, False),
        ("role:%(wanted)s", {"wanted": "member"}, True),
        ("is_admin:False", {}, True),
        ("is_admin:1", {}, False),
        ("service_roles:service", {}, False),
    ],
)
def test_a_rule_holds_or_not(text: str, target: dict[str, Any], holds: bool) -> None:
    assert parse(text)(caller(), target) is holds


def test_scopes_and_services() -> None:
    assert parse("system_scope:all")(caller(system=True), {})
    assert not parse("system_scope:all")(caller(), {})
    assert parse("domain_id:%(target.group.domain_id)s")(caller(domain_id="d1"), {"domain_id": "d1"})
    assert not parse("domain_id:None")(caller(domain_id="d1"), {})
    assert parse("service_roles:service")(caller(service_roles=["service"]), {})


def test_the_older_form_is_an_or_of_ands() -> None:
    assert parse([["role:admin"], ["role:member", "role:reader"]])(caller(), {})
    assert not parse([["role:admin", "role:member"]])(caller(), {})
    assert parse([])(caller(), {})
    assert parse(["role:member"])(caller(), {})


def test_who_has_nothing_does_not_equal_nothing() -> None:
    nobody = Context("req-1")
    assert not parse("project_id:%(project_id)s")(nobody, {"project_id": ""})
    assert not parse("user_id:%(user_id)s")(nobody, {"user_id": None})


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("role:admin role:member", "'and' or 'or' is missing before 'role:member'"),
        ("role:admin and", "a check is missing at the end"),
        ("and role:admin", "a check is missing before 'and'"),
        ("(role:admin", "a parenthesis is not closed"),
        ("role:admin)", "'and' or 'or' is missing before ')'"),
        ("admin", "'admin' is no check"),
        ("'open:%(x)s", "is a quote not closed?"),
        ("nonsense:1", "'nonsense' is nothing that a caller has"),
        ("http://example.org/%(x)s", "asks another server"),
        ("rule:unheard", "there is no rule 'unheard'"),
        ("field:shared", "must be field:RESOURCES:ATTRIBUTE=VALUE"),
        (7, "a rule is text"),
        ([{"role": "admin"}], "a rule as a list holds lists of checks"),
        ("(" * 60 + "@" + ")" * 60, "more than 50 parentheses"),
        ("not " * 60 + "@", "more than 50 parentheses"),
        ("@ or " * LONGEST + "@", "at most"),
    ],
)
def test_a_wrong_rule_says_where(rule: object, says: str) -> None:
    with pytest.raises(PolicyError, match=says.replace("(", r"\(").replace(")", r"\)").replace("?", r"\?")):
        parse(rule)


def test_the_text_of_a_rule_reads_as_the_same_rule() -> None:
    for text in ("role:a or (role:b and role:c)", "(role:a or role:b) and not role:c", "not (role:a or role:b)"):
        assert parse(text).text == text
        assert parse(parse(text).text).text == text
