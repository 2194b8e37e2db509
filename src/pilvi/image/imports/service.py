"""Imports: bytes that the cloud itself fetches or moves, after the request was answered."""

from collections.abc import Callable
from typing import Any

from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import LEASE_S
from pilvi.image.image_locations.model import WEB_STORE
from pilvi.image.images import service as images
from pilvi.image.images.model import Image, Status, refuse_reserved
from pilvi.image.imports import policy
from pilvi.image.imports.model import COPY, DIRECT, GLANCE, WEB, ImportRequest, ImportRules, check_uri
from pilvi.image.quotas import model as quotas
from pilvi.image.tasks import service as tasks
from pilvi.image.tasks.model import Task
from pilvi.kernel import clock, facts, work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import BadRequest, Conflict, NotFound

WORK = "image_import"
LOCATION = "location_import"
"""The kind of task that reads bytes where they are, to hash them."""
IMPORTING, FAILED = "os_glance_importing_to_stores", "os_glance_failed_import"
NEEDED_STATE = {DIRECT: Status.UPLOADING, WEB: Status.QUEUED, GLANCE: Status.QUEUED, COPY: Status.ACTIVE}
COPIED_PREFIXES = ("hw_", "trait:", "os_distro", "os_secure_boot", "os_type")
"""Properties that an image takes over from the one it is downloaded from."""

started: list[Callable[[], None]] = []
"""Called after a commit that gave the process that moves bytes something to do."""


def start(ctx: Context, tx: Tx, image_id: str, request: ImportRequest, rules: ImportRules) -> Task:
    """Begin an import; the loop does it."""
    image = images.get(ctx, tx, image_id, policy.COPY if request.method == COPY else policy.UPLOAD)
    ctx.about("image", image.id, image.name or "")
    needed = NEEDED_STATE[request.method]
    if image.status != needed or (request.method == DIRECT and image.upload_id):
        raise Conflict(f"Image needs to be in '{needed}' state to use '{request.method}' method; it is {image.status}.")
    for name in ("container_format", "disk_format"):
        if getattr(image, name) is None:
            raise Conflict(f"'{name}' needs to be set before import")
    store_ids = [id for id in request.store_ids if id not in image.stores]
    asked = {"method": dict(request.arguments)}
    input = {
        "image_id": image.id, "import_req": {**request.document, **asked}, "backend": store_ids,
        "must_all_succeed": request.must_all_succeed,
    }  # fmt: skip
    if request.method == GLANCE:
        input["source"] = _source(ctx, tx, request, rules)
    return _begin(ctx, tx, image, "api_image_import", input, store_ids)


def _begin(
    ctx: Context, tx: Tx, image: Image, type: str, input: dict[str, Any], store_ids: list[str]
) -> Task:  # fmt: skip
    task = tasks.add(ctx, tx, type=type, image_id=image.id, owner=image.owner or ctx.project_id, input=input)
    images.enforce(
        tx, image.owner, {quotas.SIZE: 0, **({quotas.UPLOADING: 1} if image.status == Status.QUEUED else {})}
    )
    status = Status.ACTIVE if image.status == Status.ACTIVE else Status.IMPORTING
    images.begin_transfer(tx, image, status, task.id, clock.now() + LEASE_S)
    images.put_properties(tx, image.id, {IMPORTING: ",".join(store_ids), FAILED: ""})
    work.poke(tx, WORK, task.id, ctx.request_id)
    tx.after_commit(tell)
    return task


def tell() -> None:
    """Wake the process that moves bytes."""
    for listener in started:
        listener()


def _source(ctx: Context, tx: Tx, request: ImportRequest, rules: ImportRules) -> dict[str, Any]:
    """The image of this cloud to read from, as far as the caller may; what is wrong makes the task fail, later."""
    region, id = request.arguments["glance_region"], str(request.arguments["glance_image_id"])
    interface = request.arguments.get("glance_service_interface", "public")
    if region != rules.region or interface not in ("public", "internal", "admin"):
        return {"problem": f"There is no image service for region {region} and interface {interface}."}
    try:
        found = images.get(ctx, tx, id)
    except NotFound as fault:
        return {"problem": fault.message}
    if found.status != Status.ACTIVE:
        return {"problem": f"Image {id} is {found.status}, not active."}
    return {"image_id": found.id}


def start_task(ctx: Context, tx: Tx, type: str, input: dict[str, Any], rules: ImportRules) -> Task:
    """A task of the older kind: it makes the image, too."""
    if type != "import":
        raise BadRequest(f"Task type {type[:40]} is not known: this cloud has import.")
    for name in ("import_from", "import_from_format", "image_properties"):
        if name not in input:
            raise BadRequest(f"Input does not contain '{name}' field")
    properties = input["image_properties"]
    if not isinstance(properties, dict):
        raise BadRequest("'image_properties' must be an object.")
    check_uri(input["import_from"], rules.allowed_hosts)
    refuse_reserved(properties)
    image = images.create(
        ctx, tx, {"disk_format": input["import_from_format"], "container_format": "bare", **properties}
    )
    store_ids = [rules.stores.default.id]
    method = {"name": WEB, "uri": input["import_from"]}
    return _begin(
        ctx, tx, image, "import", {**input, "import_req": {"method": method}, "backend": store_ids}, store_ids
    )


def start_location(ctx: Context, tx: Tx, image: Image, url: str, validation: dict[str, str]) -> Task:
    """Begin to read the bytes at an address, which stay there."""
    for name in ("container_format", "disk_format"):
        if getattr(image, name) is None:
            raise BadRequest(f"Property {name} must be set prior to saving data.")
    input = {"image_id": image.id, "loc_url": url, "validation_data": validation, "backend": [WEB_STORE]}
    return _begin(ctx, tx, image, LOCATION, input, [WEB_STORE])


def tasks_of(ctx: Context, tx: Tx, image_id: str) -> list[Task]:
    images.get(ctx, tx, image_id, policy.GET)
    return tasks.of_image(tx, image_id)


# ---- for the loop ------------------------------------------------------------------------------------------------


def claim(tx: Tx, task: Task, holder: str = "") -> Image | None:
    """Take the image for a turn of this task; None when it is no longer the task's."""
    image = images.find(tx, task.image_id)
    if image is None or image.upload_id != task.id:
        tasks.end(tx, task.id, problem="The image was deleted or changed before its import was done.")
        return None
    tasks.begin(tx, task.id)
    images.begin_transfer(tx, image, Status(image.status), task.id, clock.now() + LEASE_S, holder)
    return image


def touch(tx: Tx, task: Task) -> bool:
    """The import goes on. False when the image is no longer the task's."""
    states = [Status.IMPORTING, Status.ACTIVE]
    return images.change_transfer(tx, task.image_id, task.id, states, busy_until=clock.now() + LEASE_S)


def succeed(ctx: Context, tx: Tx, task: Task, image: Image, *, failed: list[str], copied: bool) -> None:
    """The bytes are where they should be; the image's row says so already unless it is a copy."""
    if copied:
        done = [id for id in task.input["backend"] if id not in failed]
        found = images.find(tx, image.id)
        locations = [*(found.locations if found else []), *({"store": id} for id in done)]
        images.change_transfer(tx, image.id, task.id, [Status.ACTIVE], locations=locations, upload_id="")
        images.tidy_soon(tx, image.id, ctx.request_id)
    images.put_properties(tx, image.id, {IMPORTING: "", FAILED: ",".join(failed)})
    tasks.end(tx, task.id, result={"image_id": image.id})
    facts.record(tx, ctx, "image import done", resource=("image", image.id, image.name or ""))


def fail(ctx: Context, tx: Tx, task: Task, image: Image, problem: str) -> None:
    """The image is as before: queued, or active where it was to be copied. What came into some store goes."""
    if image.status == Status.ACTIVE:
        images.change_transfer(tx, image.id, task.id, [Status.ACTIVE], upload_id="")
        images.tidy_soon(tx, image.id, ctx.request_id)
    else:
        transfer = image_data.transfer_of(image, "")
        image_data.give_up(ctx, tx, transfer.named(task.id), problem)
    images.put_properties(tx, image.id, {IMPORTING: "", FAILED: ",".join(task.input["backend"])})
    tasks.end(tx, task.id, problem=problem)
    if task.type == "import" and image.status != Status.ACTIVE:
        images.delete(ctx, tx, image.id)


def take_over(image: Image, source: Image) -> dict[str, Any]:
    """What an image takes over from the one that it is downloaded from."""
    properties = {k: v for k, v in source.properties.items() if k.startswith(COPIED_PREFIXES)}
    return {
        "disk_format": source.disk_format, "container_format": source.container_format,
        "properties": {**image.properties, **properties},
    }  # fmt: skip


def adopt(tx: Tx, task: Task, image: Image, source: Image) -> None:
    images.change_transfer(tx, image.id, task.id, [Status.IMPORTING], **take_over(image, source))
