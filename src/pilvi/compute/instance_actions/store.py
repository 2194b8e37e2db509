"""The only SQL for actions and their events."""

import sqlalchemy as sa

from pilvi.compute.instance_actions.model import ActionEvent, InstanceAction
from pilvi.kernel.db import Tx, metadata
from pilvi.kernel.paging import Page, cut, keyset

actions = sa.Table(
    "compute_instance_actions",
    metadata,
    sa.Column("server_id", sa.String(36), primary_key=True),
    sa.Column("request_id", sa.String(64), primary_key=True),
    sa.Column("action", sa.String(40), nullable=False),
    sa.Column("user_id", sa.String(64), nullable=False),
    sa.Column("project_id", sa.String(64), nullable=False),
    sa.Column("start_time", sa.String(27), nullable=False),
    sa.Column("updated_at", sa.String(27), nullable=False),
    sa.Column("message", sa.Text, nullable=True),
)
events = sa.Table(
    "compute_instance_action_events",
    metadata,
    sa.Column("server_id", sa.String(36), primary_key=True),
    sa.Column("request_id", sa.String(64), primary_key=True),
    sa.Column("event", sa.String(64), primary_key=True),
    sa.Column("start_time", sa.String(27), nullable=False),
    sa.Column("finish_time", sa.String(27), nullable=True),
    sa.Column("result", sa.String(16), nullable=True),
    sa.Column("traceback", sa.Text, nullable=True),
    sa.Column("host", sa.String(255), nullable=False),
    sa.Column("details", sa.Text, nullable=True),
)


def start(tx: Tx, action: InstanceAction) -> None:
    tx.upsert(actions, action, keys=("server_id", "request_id"), update=("updated_at",))


def touch(tx: Tx, server_id: str, request_id: str, *, at: str, message: str | None) -> None:
    values: dict[str, str] = {"updated_at": at} | ({} if message is None else {"message": message})
    mine = (actions.c.server_id == server_id, actions.c.request_id == request_id)
    tx.execute(actions.update().where(*mine).values(**values))


def put_event(tx: Tx, event: ActionEvent) -> None:
    tx.upsert(events, event, keys=("server_id", "request_id", "event"))


def page(
    tx: Tx, server_id: str, *, marker: InstanceAction | None, limit: int | None, since: str | None
) -> Page[InstanceAction]:
    query = sa.select(actions).where(actions.c.server_id == server_id)
    if since:
        query = query.where(actions.c.updated_at >= since)
    order = [(actions.c.start_time, True), (actions.c.request_id, True)]
    after = None if marker is None else [marker.start_time, marker.request_id]
    return cut(tx.all(keyset(query, order, after=after, limit=limit), InstanceAction), limit)


def find(tx: Tx, server_id: str, request_id: str) -> InstanceAction | None:
    query = sa.select(actions).where(actions.c.server_id == server_id, actions.c.request_id == request_id)
    return tx.first(query, InstanceAction)


def events_of(tx: Tx, server_id: str, request_id: str) -> list[ActionEvent]:
    query = sa.select(events).where(events.c.server_id == server_id, events.c.request_id == request_id)
    return tx.all(query.order_by(events.c.start_time.desc(), events.c.event), ActionEvent)


def project_of(tx: Tx, server_id: str) -> str | None:
    """The project of a server that may be gone, from the first thing that was done with it."""
    found = tx.scalar(sa.select(actions.c.project_id).where(actions.c.server_id == server_id).limit(1))
    return None if found is None else str(found)


def drop_older(tx: Tx, before: str) -> int:
    tx.execute(events.delete().where(sa.func.coalesce(events.c.finish_time, events.c.start_time) < before))
    return tx.execute(actions.delete().where(actions.c.updated_at < before))
