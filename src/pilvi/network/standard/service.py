"""What every verb of the network does the same way: whose it is, which revision, who may set what."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest, Forbidden, NotFound, PreconditionFailed
from pilvi.kernel.policy import Rule
from pilvi.kernel.wire import Body
from pilvi.network.standard.model import Standard

IF_MATCH = re.compile(r"^\s*revision_number=(\d+)\s*$")


def owner(ctx: Context, body: Any) -> str:
    """The project for which something is made: the caller's, or the one an administrator names."""
    given = {value for name in ("project_id", "tenant_id") if (value := getattr(body, name, None))}
    if len(given) > 1:
        raise BadRequest("'project_id' and 'tenant_id' do not match", type="HTTPBadRequest")
    project_id: str = given.pop() if given else ctx.project_id
    if not project_id:
        raise Forbidden("Use a token scoped to a project.", type="PolicyNotAuthorized")
    return project_id


ZONES = ("nova",)


def check_zones(hints: Iterable[str]) -> None:
    for zone in hints:
        if zone not in ZONES:
            raise NotFound(f"AvailabilityZone {zone} could not be found.", type="AvailabilityZoneNotFound")


def values_of(body: Body) -> dict[str, Any]:
    """Every declared attribute of a body, with the default where the client sent none."""
    return {field.attribute: getattr(body, field.attribute) for field in type(body).own_fields()}


def check_revision(ctx: Context, found: Standard) -> None:
    """If-Match: revision_number=N lets a change through only when nobody changed the resource meanwhile."""
    header = ctx.header("If-Match")
    if header is None:
        return
    match = IF_MATCH.match(header)
    if match is None:
        raise BadRequest("If-Match must be revision_number=<number>.", type="HTTPBadRequest")
    if int(match.group(1)) != found.revision:
        raise PreconditionFailed(
            f"Constrained to {match.group(1)}, but current revision is {found.revision}",
            type="RevisionNumberConstraintFailed",
        )


def check_attributes(ctx: Context, rules: Mapping[str, Rule], given: Iterable[str], **target: Any) -> None:
    """Attributes that only some may set; each has a rule of its own."""
    for name in given:
        rule = rules.get(name)
        if rule is not None:
            rule.check(ctx, **target)
