"""One declaration gives validation and rendering at every microversion."""

from typing import Annotated, Any, Literal

import pytest

from pilvi.kernel.context import Context, Principal
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.policy import Rule, admin
from pilvi.kernel.wire import (
    OMIT,
    Beside,
    Body,
    Format,
    From,
    Items,
    Length,
    Lenient,
    Name,
    Range,
    ShownTo,
    Since,
    Sometimes,
    Until,
    View,
)

SECRET = Rule("test:wire:secret", admin, "See what is secret.")


class Inner(Body):
    address: Annotated[str, Format("ip")]


class Thing(Body, root="thing", plural="things"):
    name: Annotated[str, Length(1, 5)]
    count: Annotated[int, Lenient(), Range(0, 9)] = 1
    kind: Annotated[Literal["a", "b"], Since("2.2")] = "a"
    old: Annotated[str, Until("2.3")] = ""
    colon: Annotated[bool, Lenient(), Name("os:colon")] = False
    inner: Inner | None = None
    tags: Annotated[list[str], Items(2)] = []  # noqa: RUF012
    beside: Annotated[dict[str, Any], Beside(), Name("os:hints")] = {}  # noqa: RUF012


class Shown(View, root="thing", plural="things"):
    name: str
    double: Annotated[int, From(lambda o: o.count * 2)]
    kind: Annotated[str, Since("2.2")]
    fault: Annotated[Any, Sometimes(), From(lambda o: o.fault or OMIT)]
    inside: Annotated[str, ShownTo(SECRET), From(lambda o, c: c.request_id)]


class Record:
    name, count, kind, fault = "x", 2, "b", None


def caller(*roles: str, version: int = 1) -> Context:
    return Context("req-1", Principal("u", project_id="p", roles=frozenset(roles)), version=version)


def test_a_field_is_unknown_before_the_version_that_brought_it() -> None:
    assert Thing.parse({"thing": {"name": "n", "kind": "b"}}, 2).kind == "b"
    with pytest.raises(BadRequest, match="kind"):
        Thing.parse({"thing": {"name": "n", "kind": "b"}}, 1)


def test_a_field_is_unknown_after_its_last_version() -> None:
    assert Thing.parse({"thing": {"name": "n", "old": "x"}}, 3).old == "x"
    with pytest.raises(BadRequest):
        Thing.parse({"thing": {"name": "n", "old": "x"}}, 4)


@pytest.mark.parametrize(
    "bad",
    [
        {}, {"thing": None}, {"thing": []}, {"thing": {}}, {"thing": {"name": ""}}, {"thing": {"name": "toolong"}},
        {"thing": {"name": 1}}, {"thing": {"name": "n", "count": 10}}, {"thing": {"name": "n", "count": "10"}},
        {"thing": {"name": "n", "count": "x"}}, {"thing": {"name": "n", "more": 1}}, {"thing": {"name": "n"}, "x": 1},
        {"thing": {"name": "n", "inner": {"address": "300.1.1.1"}}}, {"thing": {"name": "n", "tags": ["a", "b", "c"]}},
        {"thing": {"name": "n", "os:colon": "perhaps"}},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(bad: Any) -> None:
    with pytest.raises(BadRequest):
        Thing.parse(bad, 2)


def test_lenient_values_become_what_they_mean() -> None:
    body = Thing.parse({"thing": {"name": "n", "count": "7", "os:colon": "yes"}, "os:hints": {"a": 1}}, 2)
    assert (body.count, body.colon, body.beside) == (7, True, {"a": 1})
    assert body.given == {"name", "count", "colon", "beside"}


def test_nested_bodies_are_instances_and_defaults_are_not_shared() -> None:
    first, second = (Thing.parse({"thing": {"name": "n", "inner": {"address": "::1"}}}, 2) for _ in range(2))
    assert first.inner is not None
    assert first.inner.address == "::1"
    first.tags.append("x")
    assert second.tags == []


def test_a_view_shows_what_the_version_and_the_caller_may_see() -> None:
    plain = Shown.renderer(caller(version=1))(Record(), caller())
    assert plain == {"name": "x", "double": 4}
    ctx = caller("admin", version=2)
    assert Shown.renderer(ctx)(Record(), ctx) == {"name": "x", "double": 4, "kind": "b", "inside": "req-1"}


def test_a_view_shows_only_the_fields_that_were_asked_for() -> None:
    ctx = caller(version=2)
    assert Shown.renderer(ctx, frozenset({"name", "nothing"}))(Record(), ctx) == {"name": "x"}
