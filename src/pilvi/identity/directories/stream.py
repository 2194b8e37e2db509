"""Asks the directory about one login, outside any transaction."""

import threading

from pilvi.identity.directories import service
from pilvi.identity.directories.model import Plan
from pilvi.identity.drivers.ldap import Directory
from pilvi.kernel.context import Context

_clients: dict[str, Directory] = {}
_lock = threading.Lock()


def client(plan: Plan) -> Directory:
    """The connections to a domain's directory, made anew when its configuration changed."""
    with _lock:
        found = _clients.get(plan.domain_id)
        if found is not None and found.plan == plan:
            return found
        if found is not None:
            found.close()
        found = _clients[plan.domain_id] = Directory(plan)
        return found


def close() -> None:
    """No connection stays open."""
    with _lock:
        while _clients:
            _clients.popitem()[1].close()


def log_in(ctx: Context, plan: Plan, *, name: str, local_id: str, password: str) -> str | None:
    """The id of the user who proved to be this one; None when the directory says no."""
    directory = client(plan)
    who = directory.find(name=name, local_id=local_id)
    if who is None or not directory.is_password(who, password):
        return None
    teams = directory.teams_of(who)
    id: str = ctx.database.write(lambda tx: service.take_login(tx, plan.domain_id, who, teams))
    return id
