"""/domains/{id}/config."""

from pilvi.identity.domain_configs import policy, service
from pilvi.identity.domain_configs.wire import ConfigBody
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.routing import Answer, Routes

routes = Routes("identity", "/v3/domains")


@routes.get("/config/default", rule=policy.DEFAULTS)
def defaults(ctx: Context, tx: Tx) -> Answer:
    return Answer(200, {"config": service.defaults(ctx, None, None)})


@routes.get("/config/{group}/default", rule=policy.DEFAULTS)
def defaults_of_group(ctx: Context, tx: Tx, group: str) -> Answer:
    return Answer(200, {"config": service.defaults(ctx, group, None)})


@routes.get("/config/{group}/{option}/default", rule=policy.DEFAULTS)
def default_of_option(ctx: Context, tx: Tx, group: str, option: str) -> Answer:
    return Answer(200, {"config": service.defaults(ctx, group, option)})


@routes.put("/{id}/config", rule=policy.CREATE, body=ConfigBody)
def put(ctx: Context, tx: Tx, id: str, body: ConfigBody) -> Answer:
    ctx.about("domain", id)
    config, is_new = service.put(ctx, tx, id, body.config)
    return Answer(201 if is_new else 200, {"config": config})


@routes.get("/{id}/config", rule=policy.SHOW)
def show(ctx: Context, tx: Tx, id: str) -> Answer:
    return Answer(200, {"config": service.show(ctx, tx, id, None, None)})


@routes.get("/{id}/config/{group}", rule=policy.SHOW)
def show_group(ctx: Context, tx: Tx, id: str, group: str) -> Answer:
    return Answer(200, {"config": service.show(ctx, tx, id, group, None)})


@routes.get("/{id}/config/{group}/{option}", rule=policy.SHOW)
def show_option(ctx: Context, tx: Tx, id: str, group: str, option: str) -> Answer:
    return Answer(200, {"config": service.show(ctx, tx, id, group, option)})


@routes.patch("/{id}/config", rule=policy.UPDATE, body=ConfigBody)
def update(ctx: Context, tx: Tx, id: str, body: ConfigBody) -> Answer:
    ctx.about("domain", id)
    return Answer(200, {"config": service.update(ctx, tx, id, None, None, body.config)})


@routes.patch("/{id}/config/{group}", rule=policy.UPDATE, body=ConfigBody)
def update_group(ctx: Context, tx: Tx, id: str, group: str, body: ConfigBody) -> Answer:
    ctx.about("domain", id)
    return Answer(200, {"config": service.update(ctx, tx, id, group, None, body.config)})


@routes.patch("/{id}/config/{group}/{option}", rule=policy.UPDATE, body=ConfigBody)
def update_option(ctx: Context, tx: Tx, id: str, group: str, option: str, body: ConfigBody) -> Answer:
    ctx.about("domain", id)
    return Answer(200, {"config": service.update(ctx, tx, id, group, option, body.config)})


@routes.delete("/{id}/config", rule=policy.DELETE)
def delete(ctx: Context, tx: Tx, id: str) -> None:
    ctx.about("domain", id)
    service.delete(ctx, tx, id, None, None)


@routes.delete("/{id}/config/{group}", rule=policy.DELETE)
def delete_group(ctx: Context, tx: Tx, id: str, group: str) -> None:
    ctx.about("domain", id)
    service.delete(ctx, tx, id, group, None)


@routes.delete("/{id}/config/{group}/{option}", rule=policy.DELETE)
def delete_option(ctx: Context, tx: Tx, id: str, group: str, option: str) -> None:
    ctx.about("domain", id)
    service.delete(ctx, tx, id, group, option)
