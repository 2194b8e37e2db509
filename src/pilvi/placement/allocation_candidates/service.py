"""Loads what is needed and lets the model decide. Where nothing is nested or shared, one indexed query does."""

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.placement.aggregates import service as aggregates
from pilvi.placement.allocation_candidates import policy
from pilvi.placement.allocation_candidates.model import Candidate, Place, Request, World, candidates, fits_alone
from pilvi.placement.inventories import service as inventories
from pilvi.placement.inventories.model import Inventory
from pilvi.placement.resource_classes import service as resource_classes
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider
from pilvi.placement.traits import service as traits
from pilvi.placement.traits.model import SHARING


def find(ctx: Context, tx: Tx, request: Request) -> tuple[list[Candidate], list[Place]]:
    """The candidates, and the providers that their summary shows."""
    policy.LIST.check(ctx)
    _check_names(tx, request)
    if _is_simple(tx, request):
        return _simple(tx, request)
    world = World(_places(tx, providers.search(tx), None))
    found = candidates(world, request)
    return found, _shown(world, found, request.nested)


def _check_names(tx: Tx, request: Request) -> None:
    classes = {name for group in request.groups.values() for name in group.resources}
    unknown = resource_classes.unknown(tx, classes)
    if unknown:
        raise BadRequest(f"Invalid resource class in resources parameter: No such resource class {unknown[0]}.")
    asked = set().union(*(group.traits() for group in request.groups.values()))
    traits.check_known(tx, asked | request.root_required | request.root_forbidden)


def _places(tx: Tx, found: list[Provider], only: set[str] | None) -> list[Place]:
    """Providers with all that matters; of all providers or only of these."""
    stock: dict[str, dict[str, Inventory]] = {}
    for inventory in inventories.everything(tx) if only is None else inventories.of_many(tx, only):
        stock.setdefault(inventory.provider_uuid, {})[inventory.resource_class] = inventory
    abilities = traits.of_providers(tx, only)
    memberships = aggregates.of_providers(tx, only)
    nothing: frozenset[str] = frozenset()
    return [
        Place(
            p.uuid, p.parent_uuid, p.root_uuid, frozenset(abilities.get(p.uuid, nothing)),
            frozenset(memberships.get(p.uuid, nothing)), stock.get(p.uuid, {}),
        )
        for p in found
    ]  # fmt: skip


def _shown(world: World, found: list[Candidate], nested: bool) -> list[Place]:
    """Summaries show the whole trees that take part, since trees are shown at all."""
    taking = {uuid for candidate in found for uuid in candidate.amounts}
    taking |= {uuid for candidate in found for uuids in candidate.mappings.values() for uuid in uuids}
    if not nested:
        return [world.places[uuid] for uuid in sorted(taking)]
    roots = {world.places[uuid].root_uuid for uuid in taking}
    return [place for root in sorted(roots) for place in world.trees[root]]


# ---- the short way -----------------------------------------------------------------------------------------------


def _is_simple(tx: Tx, request: Request) -> bool:
    """One group, and no provider within another or sharing with others: then each provider answers for itself."""
    one = len(request.groups) == 1 and not request.same_subtree
    return one and not providers.any_nested(tx) and not traits.is_used(tx, SHARING)


def _simple(tx: Tx, request: Request) -> tuple[list[Candidate], list[Place]]:
    ((name, group),) = request.groups.items()
    demanding = bool(group.required or group.forbidden or group.member_of or group.not_member_of or group.in_tree)
    demanding |= bool(request.root_required or request.root_forbidden)
    chosen = set(inventories.providers_that_take(tx, group.resources, None if demanding else request.limit))
    places = _places(tx, providers.find_many(tx, chosen), chosen)
    if demanding:
        places = [place for place in places if fits_alone(place, group, request)]
    places = places[: request.limit]
    resources = group.resources
    return [Candidate({place.uuid: resources}, {name: (place.uuid,)}) for place in places], places
