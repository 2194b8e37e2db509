"""What can be done with the configuration of a domain."""

from typing import Any

from pilvi.identity import deletions
from pilvi.identity.domain_configs import policy, store
from pilvi.identity.domain_configs.model import DEFAULTS, Config, check, is_directory, part, shown
from pilvi.identity.epochs import service as epochs
from pilvi.identity.projects import service as projects
from pilvi.kernel import work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden

DIRECTORY_LOOP = "identity directory"
"""Whoever mirrors directories looks at a domain whose configuration changed."""


def find(tx: Tx, domain_id: str) -> Config:
    return store.find(tx, domain_id)


def everything(tx: Tx) -> list[tuple[str, Config]]:
    return store.everything(tx)


def check_own(tx: Tx, domain_id: str, what: str) -> None:
    """A domain that is a directory gets its users and groups from there."""
    if is_directory(store.find(tx, domain_id)):
        raise Forbidden(f"The {what} of domain {domain_id} are in a directory (LDAP): change them there.")


def _changed(tx: Tx, domain_id: str) -> None:
    epochs.bump(tx)
    work.poke(tx, DIRECTORY_LOOP, domain_id)


def put(ctx: Context, tx: Tx, domain_id: str, config: Config) -> tuple[Config, bool]:
    """The configuration, and whether there was none before."""
    policy.CREATE.check(ctx)
    projects.get_domain(tx, domain_id)
    check(config)
    is_new = not store.find(tx, domain_id)
    store.put(tx, domain_id, config)
    _changed(tx, domain_id)
    return shown(config), is_new


def show(ctx: Context, tx: Tx, domain_id: str, group: str | None, option: str | None) -> dict[str, Any]:
    policy.SHOW.check(ctx)
    projects.get_domain(tx, domain_id)
    return part(shown(store.find(tx, domain_id)), group, option, domain_id)


def update(
    ctx: Context, tx: Tx, domain_id: str, group: str | None, option: str | None, given: dict[str, Any]
) -> Config:
    """Merge. What is named in the path must be what is in the body, and be there already."""
    policy.UPDATE.check(ctx)
    projects.get_domain(tx, domain_id)
    config = store.find(tx, domain_id)
    change: Config = given
    if group is not None:
        if option is not None:
            if set(given) != {option}:
                raise Forbidden("Invalid domain specific configuration: the body must hold the option in the URL only.")
            change = {group: given}
        elif set(given) != {group}:
            raise Forbidden("Invalid domain specific configuration: the body must hold the group in the URL only.")
    check(change)
    part(config, group, option, domain_id)
    for name, options in change.items():
        config[name] = {**config.get(name, {}), **options}
    store.put(tx, domain_id, config)
    _changed(tx, domain_id)
    return shown(config)


def delete(ctx: Context, tx: Tx, domain_id: str, group: str | None, option: str | None) -> None:
    policy.DELETE.check(ctx)
    projects.get_domain(tx, domain_id)
    config = store.find(tx, domain_id)
    part(config, group, option, domain_id)
    _changed(tx, domain_id)
    if group is None:
        store.delete(tx, domain_id)
        return
    if option is not None and len(config[group]) > 1:
        del config[group][option]
    else:
        del config[group]
    store.put(tx, domain_id, config)


def defaults(ctx: Context, group: str | None, option: str | None) -> dict[str, Any]:
    policy.DEFAULTS.check(ctx)
    if group is not None:
        check({group: {option: None} if option is not None else DEFAULTS.get(group, {"": None})})
    return part(shown(DEFAULTS), group, option, "default")


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    store.delete(tx, domain_id)
