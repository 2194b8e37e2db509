"""What can be done with flavors, their extra specs and who may use private ones."""

import re

from pilvi.compute.flavors import policy, store
from pilvi.compute.flavors.model import Flavor
from pilvi.kernel import clock, ids
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound
from pilvi.kernel.paging import Page
from pilvi.kernel.query import Query

KEY = re.compile(r"^[a-zA-Z0-9._ :-]{1,255}$")
SPECS_LIMIT = 256


def missing(id: str) -> NotFound:
    return NotFound(f"Flavor {id} could not be found.")


def get(tx: Tx, ctx: Context, id: str) -> Flavor:
    """A flavor that the caller may use; others do not exist for them."""
    flavor = store.find(tx, id)
    hidden = flavor is not None and not flavor.is_public and not ctx.is_admin
    if flavor is None or (hidden and ctx.project_id not in store.access_of(tx, id)):
        raise missing(id)
    return flavor


def show(ctx: Context, tx: Tx, id: str) -> Flavor:
    policy.LIST.check(ctx)
    return get(tx, ctx, id)


def list_(ctx: Context, tx: Tx, query: Query) -> Page[Flavor]:
    policy.LIST.check(ctx)
    project_id: str | None = ctx.project_id
    is_public: bool | None = None
    if ctx.is_admin:
        asked = query.get("is_public")
        project_id = None
        is_public = True if asked is None else None if asked.lower() == "none" else query.flag("is_public")
    sort_key = query.get("sort_key") or "flavorid"
    if sort_key not in store.SORT_KEYS:
        raise BadRequest(f"Unable to sort: invalid sort key {sort_key}. Possible are {', '.join(store.SORT_KEYS)}.")
    direction = query.get("sort_dir") or "asc"
    if direction not in ("asc", "desc"):
        raise BadRequest("sort_dir must be asc or desc.")
    marker = None
    if query.get("marker"):
        marker = store.find(tx, query.get("marker") or "")
        if marker is None:
            raise BadRequest(f"marker [{query.get('marker')}] not found")
    return store.page(
        tx, project_id=project_id, is_public=is_public, min_disk=_number(query, "minDisk"),
        min_ram=_number(query, "minRam"), name=None, sort_key=sort_key, descending=direction == "desc",
        marker=marker, limit=query.limit(),
    )  # fmt: skip


def _number(query: Query, name: str) -> int:
    text = query.get(name)
    if text is None:
        return 0
    if not text.isdigit():
        raise BadRequest(f"Invalid {name} filter [{text}]: give a whole number.")
    return int(text)


def create(
    ctx: Context,
    tx: Tx,
    *,
    id: str | None,
    name: str,
    ram: int,
    vcpus: int,
    disk: int,
    ephemeral: int,
    swap: int,
    rxtx_factor: float,
    is_public: bool,
    description: str | None,
) -> Flavor:
    policy.CREATE.check(ctx)
    if id is not None and not re.fullmatch(r"[a-zA-Z0-9. _-]{1,255}", id):
        raise BadRequest("id can contain only letters, digits, periods, dashes, underscores and spaces.")
    flavor = Flavor(
        id or ids.uuid(), name, ram, vcpus, disk, ephemeral, swap, rxtx_factor, is_public, description,
        clock.timestamp(),
    )  # fmt: skip
    store.add(tx, flavor)
    ctx.about("flavor", flavor.id, flavor.name)
    return flavor


def describe(ctx: Context, tx: Tx, id: str, description: str | None) -> Flavor:
    policy.UPDATE.check(ctx)
    get(tx, ctx, id)
    store.set_description(tx, id, description)
    return get(tx, ctx, id)


def delete(ctx: Context, tx: Tx, id: str) -> None:
    policy.DELETE.check(ctx)
    get(tx, ctx, id)
    store.delete(tx, id)
    ctx.about("flavor", id)


def projects_with_access(ctx: Context, tx: Tx, id: str) -> list[dict[str, str]]:
    policy.ACCESS.check(ctx)
    if get(tx, ctx, id).is_public:
        raise NotFound("Access list not available for public flavors.")
    return _access(tx, id)


def _access(tx: Tx, id: str) -> list[dict[str, str]]:
    return [{"flavor_id": id, "tenant_id": project_id} for project_id in store.access_of(tx, id)]


def grant(ctx: Context, tx: Tx, id: str, project_id: str, *, to_public: bool) -> list[dict[str, str]]:
    """Let a project use a flavor. Old clients (`to_public`) may name a public one too, where it changes nothing."""
    policy.ADD_ACCESS.check(ctx)
    if get(tx, ctx, id).is_public and not to_public:
        raise Conflict("Can not add access to a public flavor.")
    store.grant(tx, id, project_id)
    return _access(tx, id)


def revoke(ctx: Context, tx: Tx, id: str, project_id: str) -> list[dict[str, str]]:
    policy.REMOVE_ACCESS.check(ctx)
    get(tx, ctx, id)
    if not store.revoke(tx, id, project_id):
        raise NotFound(f"Flavor access not found for {id} / {project_id} combination.")
    return _access(tx, id)


def extra_specs(ctx: Context, tx: Tx, id: str) -> dict[str, str]:
    policy.EXTRA_INDEX.check(ctx)
    return get(tx, ctx, id).extra_specs


def extra_spec(ctx: Context, tx: Tx, id: str, key: str) -> dict[str, str]:
    policy.EXTRA_SHOW.check(ctx)
    specs = get(tx, ctx, id).extra_specs
    if key not in specs:
        raise NotFound(f"Flavor {id} has no extra specs with key {key}.")
    return {key: specs[key]}


def set_extra_specs(ctx: Context, tx: Tx, id: str, specs: dict[str, object]) -> dict[str, str]:
    policy.EXTRA_CREATE.check(ctx)
    clean = _checked_specs(specs)
    merged = get(tx, ctx, id).extra_specs | clean
    if len(merged) > SPECS_LIMIT:
        raise BadRequest(f"A flavor may have {SPECS_LIMIT} extra specs.")
    store.set_extra_specs(tx, id, merged)
    return clean


def set_extra_spec(ctx: Context, tx: Tx, id: str, key: str, specs: dict[str, object]) -> dict[str, str]:
    policy.EXTRA_UPDATE.check(ctx)
    if list(specs) != [key]:
        raise BadRequest("The body must hold just the key that the URL names.")
    clean = _checked_specs(specs)
    store.set_extra_specs(tx, id, get(tx, ctx, id).extra_specs | clean)
    return clean


def _checked_specs(specs: dict[str, object]) -> dict[str, str]:
    clean: dict[str, str] = {}
    for key, value in specs.items():
        if not KEY.match(key):
            raise BadRequest(
                f"Key names can only contain letters, digits, periods, dashes, underscores and colons: {key}"
            )
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 255:
            raise BadRequest(f"The value of extra spec {key} must be a string of at most 255 characters.")
        clean[key] = str(value)
    return clean


def delete_extra_spec(ctx: Context, tx: Tx, id: str, key: str) -> None:
    policy.EXTRA_DELETE.check(ctx)
    specs = get(tx, ctx, id).extra_specs
    if key not in specs:
        raise NotFound(f"Flavor {id} has no extra specs with key {key}.")
    store.set_extra_specs(tx, id, {k: v for k, v in specs.items() if k != key})
