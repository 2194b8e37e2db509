"""The pure parts of identity: tokens as bytes, requests, roles, grants, URLs, access rules."""

from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pilvi.identity.application_credentials.model import allows
from pilvi.identity.endpoints.model import check_url, filled_in
from pilvi.identity.role_assignments.model import Assignment, effective_role_ids
from pilvi.identity.roles.model import Graph, Role
from pilvi.identity.tokens.model import METHODS, SCOPES, Token, pack, parse, unpack
from pilvi.identity.users.model import PasswordRules, User, failures_after_wrong_password, is_locked_out
from pilvi.kernel.errors import BadRequest

IDS = st.one_of(st.uuids().map(lambda u: u.hex), st.text(max_size=60).filter(lambda t: len(t.encode()) < 200))
AUDIT = st.binary(min_size=16, max_size=16).map(lambda b: urlsafe_b64encode(b).rstrip(b"=").decode())
TOKENS = st.builds(
    Token,
    user_id=IDS,
    methods=st.lists(st.sampled_from(METHODS), min_size=1, unique=True).map(
        lambda m: tuple(sorted(m, key=METHODS.index))
    ),
    scope=st.sampled_from(SCOPES),
    scope_id=IDS,
    issued_us=st.integers(0, 2**63),
    expires_us=st.integers(0, 2**63),
    audit_ids=st.lists(AUDIT, min_size=1, max_size=2).map(tuple),
    application_credential_id=IDS,
    trust_id=IDS,
)


@given(TOKENS)
def test_a_token_survives_packing(token: Token) -> None:
    assert unpack(pack(token)) == token


@given(st.binary(max_size=200))
def test_noise_is_no_token(noise: bytes) -> None:
    import struct

    with pytest.raises((ValueError, IndexError, struct.error)):
        unpack(b"\x00" + noise)


WORDS = st.sampled_from(
    ["auth", "identity", "methods", "password", "token", "id", "user", "name", "domain", "scope", "project", "system"]
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.just(["password"])
REQUESTS = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(WORDS, inner))


@settings(suppress_health_check=[HealthCheck.too_slow])  # A busy machine is no fault of the code.
@given(REQUESTS)
def test_any_request_is_read_or_refused(raw: object) -> None:
    with suppress(BadRequest):
        assert parse(raw).proofs


def test_implied_roles_are_followed_through_circles() -> None:
    roles = {n: Role(n, n, "d" if n == "local" else "", "") for n in ("a", "b", "c", "local", "alone")}
    graph = Graph(roles, {"local": ("a",), "a": ("b",), "b": ("c", "a")})
    assert graph.closure(["local"]) == {"local", "a", "b", "c"}
    assert [role.name for role in graph.in_force(["local", "gone"])] == ["a", "b", "c"]


def test_inherited_grants_count_from_above_only() -> None:
    def grant(kind: str, id: str, role: str, inherited: bool) -> Assignment:
        return Assignment("user", "u", kind, id, role, inherited)

    grants = [
        grant("project", "p", "own", False), grant("project", "p", "for-children", True),
        grant("domain", "d", "inherited", True), grant("domain", "d", "of-domain", False),
    ]  # fmt: skip
    assert effective_role_ids(grants, ("project", "p"), {("domain", "d")}) == {"own", "inherited"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://x", "http://x"),
        ("http://x/$(project_id)s", "http://x/p"),
        ("http://x/%(tenant_id)s/%(user_id)s", "http://x/p/u"),
    ],
)
def test_names_in_urls_are_filled_in(url: str, expected: str) -> None:
    check_url(url)
    assert filled_in(url, {"project_id": "p", "tenant_id": "p", "user_id": "u"}) == expected


def test_an_url_that_needs_a_project_is_left_out_without_one() -> None:
    assert filled_in("http://x/$(project_id)s", {"project_id": "", "tenant_id": "", "user_id": "u"}) is None
    with pytest.raises(BadRequest):
        check_url("http://x/$(admin_token)s")


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/v2.1/servers", "/v2.1/servers", True), ("/v2.1/servers", "/v2.1/servers/1", False),
        ("/v2.1/servers/*", "/v2.1/servers/1", True), ("/v2.1/servers/*/ips", "/v2.1/servers/1/ips", True),
        ("/v2.1/servers/{server_id}", "/v2.1/servers/1", True), ("/v2.1/**", "/v2.1/a/b/c", True),
        ("/v2.1/**", "/v3/a", False),
    ],
)  # fmt: skip
def test_access_rules_match_paths(pattern: str, path: str, fits: bool) -> None:
    rules = [{"service": "compute", "method": "GET", "path": pattern}]
    assert allows(rules, "compute", "GET", path) is fits
    assert not allows(rules, "compute", "POST", path)
    assert not allows(rules, "image", "GET", path)


def test_a_lock_out_ends_and_counts_anew() -> None:
    rules = PasswordRules(lockout_failures=2, lockout_s=10.0)
    user = User("u", "n", "d", True, None, None, None, None, failures=2, failed_at=100.0, tokens_after=0)
    assert is_locked_out(user, rules, 105.0)
    assert not is_locked_out(user, rules, 111.0)
    assert failures_after_wrong_password(user, rules, 105.0) == 3
    assert failures_after_wrong_password(user, rules, 111.0) == 1
