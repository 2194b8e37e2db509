"""Does imports: gets the bytes, keeps them in the stores, and ends the task. Run by `live`, where bytes stream.

A turn only starts or watches a thread, so that a long import does not hold up the others; a thread that died with
its process is started anew by whoever looks next after the lease has ended.
"""

import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, Final

from pilvi.image.drivers import open_store
from pilvi.image.drivers.file import FileStore
from pilvi.image.drivers.protocol import ImageStore, Incoming, StoreFault
from pilvi.image.drivers.reading import Digests, Reading
from pilvi.image.drivers.sandbox import InspectionFailed
from pilvi.image.drivers.web import WebReader
from pilvi.image.image_data import service as image_data
from pilvi.image.image_data.model import TOUCH_S, Holder, Received, Transfer
from pilvi.image.image_locations.model import WEB_STORE
from pilvi.image.images import service as images
from pilvi.image.images.model import Image, Status
from pilvi.image.imports import service
from pilvi.image.imports.model import COPY, DIRECT, GLANCE, WEB, ImportRules
from pilvi.image.inspector import refusal
from pilvi.image.signatures import service as signatures
from pilvi.image.signatures.model import Seal
from pilvi.image.stores.model import Store
from pilvi.image.tasks import service as tasks
from pilvi.image.tasks.model import Task, TaskStatus
from pilvi.kernel import clock, facts
from pilvi.kernel.context import Context, internal
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Fault, NotYet
from pilvi.kernel.log import logger
from pilvi.kernel.loop import Loop
from pilvi.kernel.steps import Steps

MOST_AT_ONCE: Final = 4
WATCH_S: Final = 0.3
OTHERS_S: Final = 10.0


class ImportProblem(Exception):
    """Why an import failed; for the user."""


class Imports:
    """The imports that this process does."""

    def __init__(self, rules: ImportRules, holder: Holder) -> None:
        self.rules = rules
        self.holder = holder
        self._running: dict[str, threading.Thread] = {}

    def loop(self) -> Loop:
        return Loop(service.WORK, self.reconcile, tasks.open_ids, sweep_s=60.0)

    def reconcile(self, database: Database, task_id: str) -> None:
        running = self._running.get(task_id)
        if running is not None:
            if running.is_alive():
                raise NotYet(WATCH_S, "the import goes on")
            del self._running[task_id]
        task = database.read(lambda tx: tasks.find(tx, task_id))
        if task is None or task.is_over:
            return
        image = database.read(lambda tx: images.find(tx, task.image_id))
        if task.status == TaskStatus.PROCESSING and image is not None and image.busy_until > clock.now():
            raise NotYet(OTHERS_S, "another process does it")
        if len(self._running) >= MOST_AT_ONCE:
            raise NotYet(WATCH_S, f"{MOST_AT_ONCE} imports are under way")
        thread = threading.Thread(target=self._guarded, args=(database, task), name="import", daemon=True)
        self._running[task_id] = thread
        thread.start()
        raise NotYet(WATCH_S, "the import began")

    def _guarded(self, database: Database, task: Task) -> None:
        try:
            perform(database, self.rules, task, self.holder.text)
        except Exception as error:  # noqa: BLE001 the task stays open: the next turn after the lease tries again
            logger("image").error("import.broke", task_id=task.id, image_id=task.image_id, error=repr(error))


def perform(database: Database, rules: ImportRules, task: Task, holder: str = "") -> None:
    """One import from beginning to end. May run again after a crash at any point."""
    image = database.write(lambda tx: service.claim(tx, task, holder))
    if image is None:
        if database.read(lambda tx: images.find(tx, task.image_id)) is None:
            FileStore(rules.stores.staging).delete(task.image_id)
        return
    ctx = internal(task.request_id, project_id=task.owner)
    steps = Steps()
    try:
        _Import(database, rules, task, image, ctx, steps).run()
    except (ImportProblem, InspectionFailed, StoreFault, Fault, OSError) as error:
        problem = error.message if isinstance(error, Fault) else str(error)
        database.write(partial(_fail, ctx=ctx, task=task, image=image, problem=problem, steps=steps))
    FileStore(rules.stores.staging).delete(image.id)


def _fail(tx: Tx, ctx: Context, task: Task, image: Image, problem: str, steps: Steps) -> None:
    _tell(tx, ctx, image, steps)
    found, now = images.find(tx, image.id), tasks.find(tx, task.id)
    if now is not None and now.is_over:
        return  # It was done after all: only the answer of the database was lost.
    if found is None or found.upload_id != task.id:
        tasks.end(tx, task.id, problem=problem)
    else:
        service.fail(ctx, tx, task, found, problem)


def _tell(tx: Tx, ctx: Context, image: Image, steps: Steps) -> None:
    facts.tell(tx, ctx, steps, ("image", image.id, image.name or ""), image.owner or "")


class _Import:
    """One import under way."""

    def __init__(
        self, database: Database, rules: ImportRules, task: Task, image: Image, ctx: Context, steps: Steps
    ) -> None:
        self.database = database
        self.rules = rules
        self.task = task
        self.image = image
        self.ctx = ctx
        self.steps = steps
        self.method = task.input.get("import_req", {}).get("method", {})
        self.seal: Seal | None = None
        self._touched_at = clock.monotonic()

    def run(self) -> None:
        if self.method.get("name") != COPY:
            self.seal = self.database.read(self._find_seal)
        if self.task.type == service.LOCATION:
            self._locate()
            return
        wanted = [self.rules.stores.get(id) for id in self.task.input["backend"]]
        if self.method["name"] == COPY:
            self._copy(wanted, [])
            return
        first, *others = wanted
        received = self._fill(first, self._source())
        transfer = Transfer(self.image.id, self.task.id, self.image.disk_format or "",
                            self.image.container_format or "", first.id)  # fmt: skip
        places = [{"store": first.id}]
        failed: list[str] = []
        for store in others:
            with _noted(failed, store.id, must=self.task.input.get("must_all_succeed", True)):
                self._fill(store, _opened(first).read(self.image.id))
                places.append({"store": store.id})
        self.database.write(lambda tx: self._finish(tx, transfer, received, places, failed))

    def _find_seal(self, tx: Tx) -> Seal | None:
        task = self.task
        return signatures.seal_of(tx, self.image, user_id=task.user_id, project_id=task.owner)

    def _check_seal(self, digests: Digests) -> None:
        if self.seal is not None:
            self.seal.check(digests.hex(self.seal.signature.digest_name), clock.now())

    def _further_digests(self) -> list[str]:
        return [self.seal.signature.digest_name] if self.seal is not None else []

    def _finish(
        self, tx: Tx, transfer: Transfer, received: Received, places: list[dict[str, Any]], failed: list[str]
    ) -> None:
        _tell(tx, self.ctx, self.image, self.steps)
        image_data.finish(self.ctx, tx, transfer, received, states=(Status.IMPORTING,), places=places)
        service.succeed(self.ctx, tx, self.task, self.image, failed=failed, copied=False)

    def _copy(self, wanted: list[Store], failed: list[str]) -> None:
        source = _opened(self.rules.stores.get(self.image.stores[0]))
        for store in wanted:
            with _noted(failed, store.id, must=self.task.input.get("must_all_succeed", True)):
                self._fill(store, source.read(self.image.id))

        def end(tx: Tx) -> None:
            _tell(tx, self.ctx, self.image, self.steps)
            service.succeed(self.ctx, tx, self.task, self.image, failed=failed, copied=True)

        self.database.write(end)

    def _locate(self) -> None:
        """Read and hash what stays where it is. Nobody boots from it before the cache has inspected it."""
        url, asked = self.task.input["loc_url"], self.task.input["validation_data"]
        algorithm = asked.get("os_hash_algo", "sha512")
        reading = Reading({algorithm, *self._further_digests()})
        with self.steps.timed("image store fetch"):
            for piece in self._web.read(url):
                reading.write(piece)
                self._show_life()
        found = reading.digests.hex(algorithm)
        if asked.get("os_hash_value", found).lower() != found:
            raise ImportProblem(f"The {algorithm} digest of the bytes is not the one that was given.")
        self._check_seal(reading.digests)
        received = Received(reading.size, None, reading.md5, found, algorithm)
        transfer = Transfer(self.image.id, self.task.id, "", "", WEB_STORE)
        places = [{"store": WEB_STORE, "url": url, "metadata": {}}]
        self.database.write(lambda tx: self._finish(tx, transfer, received, places, []))

    # -- bytes -----------------------------------------------------------------------------------------------------

    def _source(self) -> Iterator[bytes]:
        name = self.method["name"]
        if name == DIRECT:
            return FileStore(self.rules.stores.staging).read(self.image.id)
        if name == WEB:
            return self._web.read(self.method["uri"])
        assert name == GLANCE, name
        return self._other_image()

    def _other_image(self) -> Iterator[bytes]:
        asked = self.task.input["source"]
        if "problem" in asked:
            raise ImportProblem(asked["problem"])
        source = self.database.read(lambda tx: images.find(tx, asked["image_id"]))
        if source is None or not source.locations:
            raise ImportProblem(f"Image {asked['image_id']} is gone.")
        self.database.write(lambda tx: service.adopt(tx, self.task, self.image, source))
        self.image = self.database.read(lambda tx: images.find(tx, self.image.id)) or self.image
        return _opened(self.rules.stores.get(source.stores[0])).read(source.id)

    @property
    def _web(self) -> WebReader:
        return WebReader(self.rules.allowed_hosts, self.rules.largest_bytes)

    def _fill(self, store: Store, pieces: Iterator[bytes]) -> Received:
        sink = _opened(store).receive(self.image.id, self.task.id, self._further_digests())
        try:
            with self.steps.timed("image store receive", store.id):
                for piece in pieces:
                    sink.write(piece)
                    self._show_life()
            received = self._inspected(sink)
            with self.steps.timed("image store keep", store.id):
                sink.keep()
        finally:
            sink.discard()
        return received

    def _inspected(self, sink: Incoming) -> Received:
        with self.steps.timed("image inspect"):
            finding = sink.inspect()
        formats = self.image.disk_format or "", self.image.container_format or ""
        reason = refusal(finding, *formats, is_strict=self.rules.stores.is_strict)
        if reason:
            raise ImportProblem(reason)
        self._check_seal(sink.digests)
        return Received(sink.size, finding.virtual_size, sink.md5, sink.sha512)

    def _show_life(self) -> None:
        if clock.monotonic() - self._touched_at > TOUCH_S:
            self._touched_at = clock.monotonic()
            if not self.database.write(lambda tx: service.touch(tx, self.task)):
                raise ImportProblem("The image was deleted while its data came in.")


def _opened(store: Store) -> ImageStore:
    return open_store(store.driver, store.directory)


class _noted(suppress):  # noqa: N801 reads like the one it is made of
    """Where not every store must succeed, a store that fails is noted and the others go on."""

    def __init__(self, failed: list[str], store_id: str, *, must: bool) -> None:
        super().__init__(*(() if must else (OSError, ImportProblem, StoreFault)))
        self._failed, self._store_id = failed, store_id

    def __exit__(self, *details: object) -> bool:
        ended = super().__exit__(*details)  # type: ignore[arg-type]
        if ended:
            self._failed.append(self._store_id)
        return bool(ended)
