"""Where a request fits: a pure function of what there is and what is asked.

Terms: a *tree* is a root provider with all below it; a *sharing* provider serves trees with which it has an aggregate
in common; an *anchor* is the root under which all groups of one candidate meet. The group without a name may be served
by several providers of a tree, each named group by exactly one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from pilvi.placement.criteria import Criteria
from pilvi.placement.inventories.model import Inventory
from pilvi.placement.traits.model import SHARING

TRIES_LIMIT = 200_000
"""Combinations looked at for one request; what lies beyond is not found."""


@dataclass(frozen=True, slots=True)
class Place:
    """A provider with everything that matters for candidates."""

    uuid: str
    parent_uuid: str | None
    root_uuid: str
    traits: frozenset[str]
    aggregates: frozenset[str]
    inventories: Mapping[str, Inventory]


@dataclass(slots=True)
class Request:
    groups: dict[str, Criteria]
    """By name; the empty name is the group that several providers may serve."""
    isolate: bool = False
    same_subtree: list[frozenset[str]] = field(default_factory=list)
    root_required: frozenset[str] = frozenset()
    root_forbidden: frozenset[str] = frozenset()
    limit: int | None = None
    nested: bool = True
    """False: as before 1.29, no candidate takes from two providers of one tree."""


@dataclass(frozen=True, slots=True)
class Candidate:
    amounts: Mapping[str, Mapping[str, int]]
    """Provider → class → amount."""
    mappings: Mapping[str, tuple[str, ...]]
    """Group → providers."""


Choice = tuple[tuple[Place, Mapping[str, int]], ...]
"""Which providers serve one group, each with what."""


class World:
    """All providers, by tree."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = {place.uuid: place for place in places}
        self.trees: dict[str, list[Place]] = {}
        for place in self.places.values():
            self.trees.setdefault(place.root_uuid, []).append(place)
        self.sharing = [p for p in self.places.values() if SHARING in p.traits]

    def reachable(self, root: str) -> list[Place]:
        """The tree, and the sharing providers outside that serve it."""
        tree = self.trees[root]
        own = frozenset().union(*(p.aggregates for p in tree))
        return tree + [p for p in self.sharing if p.root_uuid != root and p.aggregates & own]

    def is_above(self, upper: Place, lower: Place) -> bool:
        """Whether `upper` is `lower` or an ancestor of it."""
        at: Place | None = lower
        while at is not None:
            if at.uuid == upper.uuid:
                return True
            at = self.places.get(at.parent_uuid) if at.parent_uuid else None
        return False

    def root_of(self, place: Place) -> Place:
        return self.places[place.root_uuid]


def candidates(world: World, request: Request) -> list[Candidate]:
    """All candidates, or the first `limit`."""
    found: dict[object, Candidate] = {}
    tries = 0
    for root in world.trees:
        if not _root_fits(world.places.get(root), request):
            continue
        for choices in _choices(world, root, request):
            tries += 1
            if tries > TRIES_LIMIT:
                return list(found.values())
            candidate = _candidate(world, request, choices)
            if candidate is not None:
                found.setdefault(_identity(candidate), candidate)
                if request.limit is not None and len(found) >= request.limit:
                    return list(found.values())
    return list(found.values())


def _identity(candidate: Candidate) -> object:
    amounts = frozenset((p, c, n) for p, of in candidate.amounts.items() for c, n in of.items())
    return amounts, frozenset((g, frozenset(ps)) for g, ps in candidate.mappings.items())


def _root_fits(root: Place | None, request: Request) -> bool:
    return root is not None and request.root_required <= root.traits and not request.root_forbidden & root.traits


def _choices(world: World, root: str, request: Request) -> Iterator[Sequence[tuple[str, Choice]]]:
    """Every way to serve all groups under one anchor, one choice per group."""
    reachable = world.reachable(root)
    options: list[list[tuple[str, Choice]]] = []
    for name, criteria in request.groups.items():
        of_group = _spread(world, reachable, criteria) if not name else _single(world, root, reachable, criteria)
        found = [(name, choice) for choice in of_group]
        if not found:
            return
        options.append(found)
    yield from product(*options)


def _takes(place: Place, resource_class: str, amount: int) -> bool:
    inventory = place.inventories.get(resource_class)
    return inventory is not None and inventory.takes(amount)


def _in_tree(world: World, place: Place, criteria: Criteria) -> bool:
    if criteria.in_tree is None:
        return True
    member = world.places.get(criteria.in_tree)
    return member is not None and member.root_uuid == place.root_uuid


def _in_aggregates(own: frozenset[str], criteria: Criteria) -> bool:
    return all(own & one for one in criteria.member_of) and not own & criteria.not_member_of


def _spread(world: World, reachable: list[Place], criteria: Criteria) -> Iterator[Choice]:
    """The group without a name: each class from any one provider; aggregates of a root count for its whole tree."""
    fitting = [
        p
        for p in reachable
        if not criteria.forbidden & p.traits
        and _in_tree(world, p, criteria)
        and _in_aggregates(p.aggregates | world.root_of(p).aggregates, criteria)
    ]
    classes = list(criteria.resources.items())
    able = [[p for p in fitting if _takes(p, name, amount)] for name, amount in classes]
    for chosen in product(*able):
        have = frozenset().union(*(p.traits for p in chosen))
        if not all(one & have for one in criteria.required):
            continue
        parts: dict[str, tuple[Place, dict[str, int]]] = {}
        for place, (name, amount) in zip(chosen, classes, strict=True):
            parts.setdefault(place.uuid, (place, {}))[1][name] = amount
        yield tuple(parts.values())


def fits_alone(place: Place, criteria: Criteria, request: Request) -> bool:
    """Whether a provider that is a whole tree may serve the only group; its room is known to suffice."""
    return (
        all(one & place.traits for one in criteria.required)
        and not criteria.forbidden & place.traits
        and (criteria.in_tree is None or criteria.in_tree == place.uuid)
        and _in_aggregates(place.aggregates, criteria)
        and _root_fits(place, request)
    )


def _single(world: World, root: str, reachable: list[Place], criteria: Criteria) -> Iterator[Choice]:
    """A named group: everything from one provider. A group without resources is served inside the tree only."""
    for place in reachable:
        if not criteria.resources and place.root_uuid != root:
            continue
        if (
            all(one & place.traits for one in criteria.required)
            and not criteria.forbidden & place.traits
            and _in_tree(world, place, criteria)
            and _in_aggregates(place.aggregates, criteria)
            and all(_takes(place, name, amount) for name, amount in criteria.resources.items())
        ):
            yield ((place, criteria.resources),)


def _candidate(world: World, request: Request, choices: Sequence[tuple[str, Choice]]) -> Candidate | None:
    """The choices together, unless they break a rule that spans groups."""
    serving = {name: [place for place, _ in choice] for name, choice in choices}
    named = [places[0] for name, places in serving.items() if name]
    if request.isolate and len({p.uuid for p in named}) < len(named):
        return None
    if not all(_same_subtree(world, [serving[name][0] for name in names]) for names in request.same_subtree):
        return None
    amounts: dict[str, dict[str, int]] = {}
    for _, choice in choices:
        for place, taken in choice:
            for resource_class, amount in taken.items():
                of_place = amounts.setdefault(place.uuid, {})
                of_place[resource_class] = of_place.get(resource_class, 0) + amount
    if not request.nested and _takes_twice_from_a_tree(world, amounts):
        return None
    for uuid, taken in amounts.items():
        for resource_class, amount in taken.items():
            inventory = world.places[uuid].inventories[resource_class]
            if amount > inventory.free or amount > inventory.max_unit:
                return None
    return Candidate(amounts, {name: tuple(p.uuid for p in places) for name, places in serving.items()})


def _same_subtree(world: World, places: list[Place]) -> bool:
    """One of them is above all the others, or is all of them."""
    return any(all(world.is_above(upper, lower) for lower in places) for upper in places)


def _takes_twice_from_a_tree(world: World, amounts: Mapping[str, object]) -> bool:
    roots = [world.places[uuid].root_uuid for uuid in amounts]
    return len(set(roots)) < len(roots)
