"""Chooses the providers of a list."""

from pilvi.kernel import ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.placement import criteria
from pilvi.placement.aggregates import service as aggregates
from pilvi.placement.criteria import Criteria
from pilvi.placement.inventories import service as inventories
from pilvi.placement.resource_classes import service as resource_classes
from pilvi.placement.resource_providers import service as providers
from pilvi.placement.resource_providers.model import Provider
from pilvi.placement.traits import service as traits

SINCE = {"name": 0, "uuid": 0, "member_of": 3, "resources": 4, "in_tree": 14, "required": 18}


def search(ctx: Context, tx: Tx, query: Query) -> list[Provider]:
    known = [name for name, since in SINCE.items() if ctx.version >= since]
    criteria.check_names(query, known)
    uuid = query.get("uuid")
    if uuid is not None and not ids.is_uuid(uuid):
        raise BadRequest(f"{criteria.INVALID}{uuid!r} is not a 'uuid'")
    wanted = _wanted(tx, query, ctx.version)
    root = None
    if wanted.in_tree is not None:
        member = providers.find(tx, wanted.in_tree)
        if member is None:
            return []
        root = member.root_uuid
    found = providers.search(tx, name=query.get("name"), uuid=uuid.lower() if uuid else None, root=root)
    return _matching(tx, found, wanted)


def _wanted(tx: Tx, query: Query, version: int) -> Criteria:
    wanted = Criteria()
    if "resources" in query:
        wanted.resources = criteria.resources(query.get("resources") or "")
        unknown = resource_classes.unknown(tx, set(wanted.resources))
        if unknown:
            raise BadRequest(f"Invalid resource class in resources parameter: No such resource class {unknown[0]}.")
    wanted.member_of, wanted.not_member_of = criteria.member_of(query.all("member_of"), version)
    wanted.required, wanted.forbidden = criteria.traits(query.all("required"), version)
    traits.check_known(tx, wanted.traits())
    if "in_tree" in query:
        wanted.in_tree = criteria.tree(query.get("in_tree") or "")
    return wanted


def _matching(tx: Tx, found: list[Provider], wanted: Criteria) -> list[Provider]:
    if wanted.resources:
        able = set(inventories.providers_that_take(tx, wanted.resources))
        found = [p for p in found if p.uuid in able]
    if wanted.member_of or wanted.not_member_of:
        of = aggregates.of_providers(tx, [p.uuid for p in found])
        found = [p for p in found if _in(of.get(p.uuid, set()), wanted)]
    if wanted.required or wanted.forbidden:
        have = traits.of_providers(tx, [p.uuid for p in found])
        found = [p for p in found if _can(have.get(p.uuid, set()), wanted)]
    return found


def _in(own: set[str], wanted: Criteria) -> bool:
    return all(own & one for one in wanted.member_of) and not own & wanted.not_member_of


def _can(own: set[str], wanted: Criteria) -> bool:
    return all(own & one for one in wanted.required) and not own & wanted.forbidden
