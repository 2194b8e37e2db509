"""What can be done with the configuration of a domain."""

from typing import Any

from pilvi.identity import deletions
from pilvi.identity.domain_configs import policy, store
from pilvi.identity.domain_configs.model import DEFAULTS, SENSITIVE, Config, check, is_directory, part, shown
from pilvi.identity.epochs import service as epochs
from pilvi.identity.keys import service as keys
from pilvi.identity.projects import service as projects
from pilvi.kernel import work
from pilvi.kernel.context import Context
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Forbidden

DIRECTORY_LOOP = "identity directory"
"""Whoever mirrors directories looks at a domain whose configuration changed."""


_SEALED = "sealed:"


def find(tx: Tx, domain_id: str) -> Config:
    """With its secrets in clear."""
    config = store.find(tx, domain_id)
    for group, option in SENSITIVE:
        value = config.get(group, {}).get(option)
        if isinstance(value, str) and value.startswith(_SEALED):
            opened = keys.cipher(tx, "credential").decrypt(value.removeprefix(_SEALED).encode()).decode()
            config[group][option] = opened
    return config


def _keep(tx: Tx, domain_id: str, config: Config) -> None:
    """Secrets are encrypted at rest; whoever mirrors directories looks at the domain anew."""
    kept = {group: dict(options) for group, options in config.items()}
    for group, option in SENSITIVE:
        value = kept.get(group, {}).get(option)
        if value is not None:
            kept[group][option] = _SEALED + keys.cipher(tx, "credential").encrypt(str(value).encode()).decode()
    store.put(tx, domain_id, kept)
    _changed(tx, domain_id)


def everything(tx: Tx) -> list[tuple[str, Config]]:
    """Every domain's configuration, secrets sealed."""
    return store.everything(tx)


def _sealed_after(tx: Tx, id: str, limit: int) -> list[tuple[str, str]]:
    """There is one secret in a configuration."""
    ((group, option),) = SENSITIVE
    found = [(domain_id, config.get(group, {}).get(option)) for domain_id, config in store.everything(tx)]
    sealed = [(i, str(v).removeprefix(_SEALED)) for i, v in sorted(found) if i > id and str(v).startswith(_SEALED)]
    return sealed[:limit]


def _seal_anew(tx: Tx, id: str, text: str) -> None:
    ((group, option),) = SENSITIVE
    config = store.find(tx, id)
    config[group][option] = _SEALED + text
    store.put(tx, id, config)


HOLDER = keys.Holder(_sealed_after, _seal_anew)


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
    _keep(tx, domain_id, config)
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
    config = find(tx, domain_id)
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
    _keep(tx, domain_id, config)
    return shown(config)


def delete(ctx: Context, tx: Tx, domain_id: str, group: str | None, option: str | None) -> None:
    policy.DELETE.check(ctx)
    projects.get_domain(tx, domain_id)
    config = find(tx, domain_id)
    part(config, group, option, domain_id)
    if group is None:
        store.delete(tx, domain_id)
        _changed(tx, domain_id)
        return
    if option is not None and len(config[group]) > 1:
        del config[group][option]
    else:
        del config[group]
    _keep(tx, domain_id, config)


def defaults(ctx: Context, group: str | None, option: str | None) -> dict[str, Any]:
    policy.DEFAULTS.check(ctx)
    if group is not None:
        check({group: {option: None} if option is not None else DEFAULTS.get(group, {"": None})})
    return part(shown(DEFAULTS), group, option, "default")


@deletions.domain
def _release_domain(tx: Tx, domain_id: str) -> None:
    store.delete(tx, domain_id)
