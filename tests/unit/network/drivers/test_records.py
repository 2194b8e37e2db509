from dataclasses import dataclass

import pytest

from pilvi.network.drivers.protocol import HostState
from pilvi.network.drivers.records import BadRecord, from_json, to_json


@dataclass(frozen=True)
class Leaf:
    name: str
    size: int | None = None


@dataclass(frozen=True)
class Tree:
    leaves: tuple[Leaf, ...] = ()
    words: tuple[str, ...] = ()
    is_green: bool = True


def test_a_record_comes_back_as_it_went() -> None:
    tree = Tree((Leaf("a", 1), Leaf("b")), ("x", "y"), is_green=False)
    assert from_json(Tree, to_json(tree)) == tree


def test_unknown_fields_are_skipped_and_absent_ones_have_their_default() -> None:
    assert from_json(Tree, {"leaves": [{"name": "a", "colour": "red"}], "age": 7}) == Tree((Leaf("a"),))


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([], r"\$ must be an object"),
        ({"leaves": {}}, r"\$.leaves must be a list"),
        ({"leaves": [{}]}, r"\$.leaves\[0\].name is missing"),
        ({"leaves": [{"name": 3}]}, r"\$.leaves\[0\].name must be of type str"),
        ({"leaves": [{"name": "a", "size": True}]}, r"size must be of type int"),
        ({"is_green": None}, r"is_green must be of type bool"),
    ],
)
def test_the_first_thing_that_does_not_fit_is_named(value: object, complaint: str) -> None:
    with pytest.raises(BadRecord, match=complaint):
        from_json(Tree, value)


def test_an_empty_document_is_an_empty_host() -> None:
    assert HostState.from_json({}) == HostState()
