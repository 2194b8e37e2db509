"""Asks the directory about one login, outside any transaction."""

from pilvi.identity.directories import service
from pilvi.identity.directories.model import Plan
from pilvi.identity.drivers import ldap
from pilvi.kernel.context import Context


def log_in(ctx: Context, plan: Plan, *, name: str, local_id: str, password: str) -> str | None:
    """The id of the user who proved to be this one; None when the directory says no."""
    directory = ldap.directory_of(plan)
    who = directory.find(name=name, local_id=local_id)
    if who is None or not directory.is_password(who, password):
        return None
    teams = directory.teams_of(who)
    id: str = ctx.database.write(lambda tx: service.take_login(tx, plan.domain_id, who, teams))
    return id
