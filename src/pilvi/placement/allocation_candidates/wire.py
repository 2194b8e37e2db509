"""The query string of candidates, and the answer in its four shapes."""

import re
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.placement import criteria
from pilvi.placement.allocation_candidates.model import Candidate, Place, Request
from pilvi.placement.criteria import BAD_VALUE, Criteria
from pilvi.placement.traits.model import in_order

PLAIN_SINCE = {"resources": 10, "limit": 16, "required": 17, "member_of": 21, "group_policy": 25, "in_tree": 31}
LATER_SINCE = {"root_required": 35, "same_subtree": 36}
GRANULAR_SINCE, NAMED_SINCE, NESTED_SINCE, SUBTREE_SINCE = 25, 33, 29, 36
GROUP_KEYS = ("resources", "required", "member_of", "in_tree")
NUMBER, NAME = "([1-9][0-9]*)?", "([a-zA-Z0-9_-]{1,64})?"


def _patterns(version: int) -> list[str]:
    if version < GRANULAR_SINCE:
        return []
    suffix = NAME if version >= NAMED_SINCE else NUMBER
    return [f"^{key}{suffix}$" for key in GROUP_KEYS if version >= PLAIN_SINCE[key]]


def request(query: Query, version: int) -> Request:
    """Read the query string; raises BadRequest with what is wrong."""
    known = [name for name, since in (PLAIN_SINCE | LATER_SINCE).items() if version >= since]
    criteria.check_names(query, known, _patterns(version))
    if version < GRANULAR_SINCE and "resources" not in query:
        raise BadRequest(f"{criteria.INVALID}'resources' is a required property")
    groups = _groups(query, version)
    found = Request(groups, nested=version >= NESTED_SINCE, limit=_limit(query))
    _root_traits(query, found)
    _policy(query, found)
    _subtrees(query, found)
    _check_associated(query, found, version)
    return found


def _limit(query: Query) -> int | None:
    text = query.all("limit")
    if not text:
        return None
    if not re.match(r"^[1-9][0-9]*$", text[0]) or len(text[0]) > 18:
        raise BadRequest(f"{criteria.INVALID}{text[0]!r} does not match '^[1-9][0-9]*$'\n\nFailed validating 'pattern'")
    return int(text[0])


def _suffixes(query: Query) -> list[str]:
    found: dict[str, None] = {}
    for name in query:
        key = next((k for k in GROUP_KEYS if name.startswith(k)), None)
        if key is not None:
            found[name.removeprefix(key)] = None
    return list(found)


def _groups(query: Query, version: int) -> dict[str, Criteria]:
    groups = {}
    for suffix in _suffixes(query):
        group = Criteria()
        if "resources" + suffix in query:
            group.resources = criteria.resources(query.get("resources" + suffix) or "")
        values = query.all("required" + suffix)
        group.required, group.forbidden = criteria.traits(values, version, "required" + suffix)
        members = query.all("member_of" + suffix)
        group.member_of, group.not_member_of = criteria.member_of(members, version)
        if "in_tree" + suffix in query:
            group.in_tree = criteria.tree(query.get("in_tree" + suffix) or "")
        groups[suffix] = group
    return groups


def _root_traits(query: Query, found: Request) -> None:
    values = query.all("root_required")
    if len(values) > 1:
        raise BadRequest(
            "Query parameter 'root_required' may be specified only once.", type="placement.query.duplicate_key"
        )
    if not values:
        return
    required: set[str] = set()
    forbidden: set[str] = set()
    for part in values[0].split(","):
        name = part.strip()
        if not name.removeprefix("!"):
            raise BadRequest(
                f"{criteria.INVALID}Expected 'root_required' parameter value of the form: "
                f"HW_CPU_X86_VMX,!CUSTOM_MAGIC. Got: {values[0]}"
            )
        (forbidden if name.startswith("!") else required).add(name.removeprefix("!"))
    conflicting = sorted(required & forbidden)
    if conflicting:
        raise BadRequest(
            f"Conflicting required and forbidden traits found in root_required: {', '.join(conflicting)}",
            type=BAD_VALUE,
        )
    found.root_required, found.root_forbidden = frozenset(required), frozenset(forbidden)


def _policy(query: Query, found: Request) -> None:
    policy = next(iter(query.all("group_policy")), None)
    if policy not in (None, "none", "isolate"):
        raise BadRequest(f"{criteria.INVALID}{policy!r} is not one of ['none', 'isolate']")
    found.isolate = policy == "isolate"


def _subtrees(query: Query, found: Request) -> None:
    for value in query.all("same_subtree"):
        suffixes = [part.strip() for part in value.split(",")]
        if not all(suffixes):
            raise BadRequest("Empty string (unsuffixed group) can not be specified in `same_subtree` ", type=BAD_VALUE)
        unknown = sorted(set(suffixes) - set(found.groups))
        if unknown:
            raise BadRequest(
                f"Real suffixes should be specified in `same_subtree`: {', '.join(unknown)} not found in "
                + ", ".join(repr(name) for name in found.groups),
                type=BAD_VALUE,
            )
        found.same_subtree.append(frozenset(suffixes))


def _check_associated(query: Query, found: Request, version: int) -> None:
    """Every group asks for resources, but for those that only say where in a tree something is (1.36)."""
    empty = {name for name, group in found.groups.items() if not group.resources}
    if not found.groups:
        raise BadRequest("At least one request group (`resources` or `resources{$S}`) is required.")
    if version >= SUBTREE_SINCE:
        _check_resourceless(found, empty)
    if empty and (version < SUBTREE_SINCE or "" in empty):
        _refuse_orphans(query, empty)
    named = [name for name, group in found.groups.items() if name and group.resources]
    if len(named) > 1 and "group_policy" not in query:
        raise BadRequest(
            'The "group_policy" parameter is required when specifying more than one "resources{N}" parameter.'
        )


def _check_resourceless(found: Request, empty: set[str]) -> None:
    if len(empty) == len(found.groups):
        raise BadRequest(
            "There must be at least one resources or resources[$S] parameter.", type="placement.query.missing_value"
        )
    placed = frozenset().union(*found.same_subtree)
    lost = sorted(empty - placed - {""})
    if lost:
        raise BadRequest(
            "Resourceless suffixed group request should be specified in `same_subtree` query param: bad group(s) - "
            f"{lost}.",
            type=BAD_VALUE,
        )


def _refuse_orphans(query: Query, empty: set[str]) -> None:
    for key, what in (("required", "traits"), ("member_of", "member_of")):
        lost = sorted(key + suffix for suffix in empty if key + suffix in query)
        if lost:
            raise BadRequest(
                f"All {what} parameters must be associated with resources. "
                f"Found the following orphaned {what} keys: {', '.join(lost)}"
            )
    raise BadRequest("All request groups must specify resources.")


# ---- the answer --------------------------------------------------------------------------------------------------

DICT_SINCE, TRAITS_SINCE, ALL_CLASSES_SINCE, MAPPINGS_SINCE = 12, 17, 27, 34


def allocation_request(candidate: Candidate, version: int) -> dict[str, Any]:
    if version < DICT_SINCE:
        listed = [{"resource_provider": {"uuid": u}, "resources": dict(r)} for u, r in candidate.amounts.items()]
        return {"allocations": listed}
    found: dict[str, Any] = {"allocations": {u: {"resources": r} for u, r in candidate.amounts.items()}}
    if version >= MAPPINGS_SINCE:
        found["mappings"] = {name: list(uuids) for name, uuids in candidate.mappings.items()}
    return found


def summary(place: Place, asked: set[str], version: int) -> dict[str, Any]:
    resources = {
        name: {"capacity": i.used + i.free, "used": i.used}
        for name, i in place.inventories.items()
        if version >= ALL_CLASSES_SINCE or name in asked
    }
    found: dict[str, Any] = {"resources": resources}
    if version >= TRAITS_SINCE:
        found["traits"] = in_order(place.traits)
    if version >= NESTED_SINCE:
        found["parent_provider_uuid"] = place.parent_uuid
        found["root_provider_uuid"] = place.root_uuid
    return found


def document(ctx: Context, candidates: list[Candidate], places: list[Place], asked: set[str]) -> dict[str, Any]:
    return {
        "allocation_requests": [allocation_request(c, ctx.version) for c in candidates],
        "provider_summaries": {p.uuid: summary(p, asked, ctx.version) for p in places},
    }
