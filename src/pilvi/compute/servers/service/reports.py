"""What hosts report of guests, and what becomes of a server that no report ever completed."""

from pilvi.compute.instance_actions import service as actions
from pilvi.compute.servers import store
from pilvi.compute.servers.model import (
    DEADLINE_S,
    SNAPSHOT_DEADLINE_S,
    Power,
    Report,
    Server,
    VmState,
    outcome,
)
from pilvi.compute.servers.service.snapshots import image_failed
from pilvi.image import facade as image
from pilvi.kernel import clock, facts, hosts, work
from pilvi.kernel.context import Context, internal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import NotYet
from pilvi.network import facade as network
from pilvi.placement import facade as placement


def observe(ctx: Context, tx: Tx, host: str, report: Report) -> None:
    """Take in one guest's report. Reports may come twice, late and out of order."""
    server = store.find(tx, report.id)
    if server is None or server.host != host:
        return
    about = Context(server.request_id, ctx.principal, host=host)
    facts.act(tx, about, "host report")
    _record_steps(about, tx, server, report)
    result = outcome(server, report, clock.timestamp())
    if result.gone:
        _finish(tx, server, failed=False)
        forget(about, tx, server)
        return
    if result.failed or result.image_failed:
        image_failed(tx, server)
    if result.changes:
        store.update(tx, server.id, result.changes, generation=server.generation)
        if "generation" in result.changes:
            hosts.changed(tx, host)
            _record_fall(about, tx, server, report)
    if result.finished:
        _finish(tx, server, failed=result.failed)
        work.poke(tx, "server", server.id, server.request_id)


def _record_steps(ctx: Context, tx: Tx, server: Server, report: Report) -> None:
    about = ("server", server.id, server.name)
    for step in report.steps[:50]:
        failed = step.get("outcome") not in ("done", "ok", "success")
        duration_ms = float(step.get("duration_ms") or 0.0)
        started = str(step["at"])
        facts.record(
            tx, ctx, f"host {step['step']}", resource=about, project_id=server.project_id, at=started,
            outcome="failed" if failed else "done", duration_ms=duration_ms,
            detail={"host": ctx.host, "message" if failed else "text": str(step.get("detail") or "")},
        )  # fmt: skip
        finished = clock.timestamp(clock.parse(started) + duration_ms / 1000)
        actions.event(
            tx, server.id, server.request_id, f"compute_{step['step']}", start_time=started, finish_time=finished,
            failed=failed, host=ctx.host or "", details=str(step.get("detail") or "") or None,
        )  # fmt: skip


def _record_fall(ctx: Context, tx: Tx, server: Server, report: Report) -> None:
    """The guest is down and nobody asked for it."""
    crashed = report.power == Power.CRASHED
    text = "The guest's process died, and again whenever it was started." if crashed else "The guest shut itself down."
    facts.record(
        tx, ctx, "guest stopped", resource=("server", server.id, server.name), project_id=server.project_id,
        outcome="crashed" if crashed else "done", detail={"host": ctx.host, "message": text},
    )  # fmt: skip
    now = clock.timestamp()
    actions.event(
        tx, server.id, server.request_id, "compute_guest_stopped", start_time=now, finish_time=now, failed=crashed,
        host=ctx.host or "", details=text,
    )  # fmt: skip


def _finish(tx: Tx, server: Server, *, failed: bool) -> None:
    now = clock.timestamp()
    started = clock.timestamp(server.task_since)
    name = f"compute_{server.task_state or 'observe'}"
    actions.event(
        tx, server.id, server.request_id, name, start_time=started, finish_time=now, failed=failed,
        host=server.host or "",
    )  # fmt: skip


def forget(ctx: Context, tx: Tx, server: Server) -> None:
    """Nothing of the server is on any host: give back what it held and drop the row."""
    image_failed(tx, server)
    network.release(ctx, tx, server.id)
    placement.release(tx, server.id)
    store.delete(tx, server.id)
    if server.host:
        hosts.changed(tx, server.host)  # Its ports say so too, but it may have none.
    facts.record(tx, ctx, "server gone", resource=("server", server.id, server.name), project_id=server.project_id)
    work.poke(tx, "server", server.id, ctx.request_id)


def expire(tx: Tx, id: str) -> None:
    """The control-side look at a server in transition: done, wait, or say what is wrong."""
    server = store.find(tx, id)
    if server is None or server.task_state is None:
        return
    if server.snapshot_image_id and image.find(tx, server.snapshot_image_id) is None:
        image_failed(tx, server)  # Its owner has deleted it, perhaps while it came: then the host will not tell.
        return
    host = hosts.find(tx, server.host) if server.host else None
    waited_s = clock.now() - server.task_since
    deadline_s = SNAPSHOT_DEADLINE_S if server.snapshot_image_id else DEADLINE_S
    if waited_s < deadline_s or server.wanted_power == Power.ABSENT:
        if host is not None and not host.is_up():
            raise NotYet(15.0, f"host {host.name} has not been heard of for {clock.now() - host.seen_at:.0f} s")
        raise NotYet(15.0, f"host {server.host} is {server.task_state}")
    now = clock.timestamp()
    state = "does not answer" if host is None or not host.is_up() else "did not finish"
    message = f"The host {state}: {server.task_state} was not done after {waited_s:.0f} s."
    fault = {"code": 500, "created": now, "message": message, "details": f"host {server.host}"}
    facts.record(
        tx, internal(server.request_id), "server expired", resource=("server", server.id, server.name),
        project_id=server.project_id, outcome="timeout", duration_ms=waited_s * 1000,
        detail={"host": server.host, "message": message},
    )  # fmt: skip
    if server.snapshot_image_id:  # the server itself goes on as it was
        image_failed(tx, server)
        return
    store.update(tx, id, {"vm_state": VmState.ERROR, "task_state": None, "updated_at": now, "fault": fault})
    _finish(tx, server, failed=True)
