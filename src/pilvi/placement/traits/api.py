"""/traits and /resource_providers/{uuid}/traits."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.query import Query
from pilvi.kernel.routing import Answer, Routes
from pilvi.placement.traits import policy, service
from pilvi.placement.traits.wire import ProviderTraits
from pilvi.placement.wire import answer

routes = Routes("placement")


@routes.get("/traits", rule=policy.LIST, since="1.6")
def list_all(ctx: Context, tx: Tx, query: Query) -> Answer:
    for name in query:
        if name not in ("name", "associated"):
            policy.LIST.check(ctx)
            raise BadRequest(
                f"Invalid query string parameters: Additional properties are not allowed ({name!r} was unexpected)"
            )
    names, prefix = _names(query.get("name"))
    found = service.list_all(ctx, tx, names=names, prefix=prefix, associated=_associated(query.get("associated")))
    return answer(ctx, {"traits": found})


def _names(text: str | None) -> tuple[list[str] | None, str | None]:
    if text is None:
        return None, None
    how, colon, value = text.partition(":")
    if how == "in" and colon:
        return value.split(","), None
    if how == "startswith" and colon:
        return None, value
    raise BadRequest(
        "Badly formatted name parameter. Expected name query string parameter in form: "
        f'?name=[in|startswith]:[name1,name2|prefix]. Got: "{text}"'
    )


def _associated(text: str | None) -> bool | None:
    if text is None:
        return None
    if text.lower() not in ("true", "false"):
        raise BadRequest(f'The query parameter "associated" only accepts "true" or "false", not {text!r}.')
    return text.lower() == "true"


@routes.get("/traits/{name}", rule=policy.SHOW, since="1.6")
def show(ctx: Context, tx: Tx, name: str) -> Answer:
    found = service.show(ctx, tx, name)
    return answer(ctx, None, status=204, changed_at=found.updated_at)


@routes.put("/traits/{name}", rule=policy.UPDATE, since="1.6")
def ensure(ctx: Context, tx: Tx, name: str) -> Answer:
    ctx.about("trait", name[:64], name)
    created = service.ensure(ctx, tx, name)
    return answer(ctx, None, status=201 if created else 204, location=f"/traits/{name}", stamped=True)


@routes.delete("/traits/{name}", rule=policy.DELETE, since="1.6")
def delete(ctx: Context, tx: Tx, name: str) -> None:
    ctx.about("trait", name[:64], name)
    service.delete(ctx, tx, name)


def _shown(names: list[str], generation: int) -> dict[str, Any]:
    return {"traits": names, "resource_provider_generation": generation}


@routes.get("/resource_providers/{uuid}/traits", rule=policy.PROVIDER_LIST, since="1.6")
def of_provider(ctx: Context, tx: Tx, uuid: str) -> Answer:
    provider, names = service.of_provider(ctx, tx, uuid)
    return answer(ctx, _shown(names, provider.generation), changed_at=provider.updated_at)


@routes.put("/resource_providers/{uuid}/traits", rule=policy.PROVIDER_UPDATE, since="1.6", body=ProviderTraits)
def put(ctx: Context, tx: Tx, uuid: str, body: Any) -> Answer:
    ctx.about("resource_provider", uuid)
    generation, names = service.put(ctx, tx, uuid, body["traits"], body["resource_provider_generation"])
    return answer(ctx, _shown(names, generation))


@routes.delete("/resource_providers/{uuid}/traits", rule=policy.PROVIDER_DELETE, since="1.6")
def remove(ctx: Context, tx: Tx, uuid: str) -> None:
    ctx.about("resource_provider", uuid)
    service.remove(ctx, tx, uuid)
