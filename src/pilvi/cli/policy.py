"""`pilvi policy …`: what the rules are, whom they let, and why."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from pilvi.kernel.config import Config, ConfigError
from pilvi.ops import site

if TYPE_CHECKING:
    from pilvi.kernel.policy_files import Overrides

app = App(name="policy", help="What the rules are, whom they let, and why. Files in policy/ of the state directory.")


def _config() -> Config:
    return site.load_config(None)


def _load(config: Config) -> "Overrides":
    from pilvi import main
    from pilvi.ops import policy

    main.services_of(config)
    return policy.load(config)


@app.command
def show(part: str = "") -> int:
    """Print the rules in force as a policy file, with what they are for.

    Parameters
    ----------
    part: only rules with this in their name.
    """
    from pilvi.ops import policy

    _load(_config())
    print("\n".join(policy.listing(part)))
    return 0


@app.command
def check() -> int:
    """Read the files of the operator and say what is wrong with them."""

    config = _config()
    overrides = _load(config)
    for warning in overrides.warnings:
        print(f"warning: {warning}")
    print(f"{len(overrides.rules)} rules of {config.paths.policy} are in force, {len(overrides.warnings)} warnings.")
    return 0


@app.command
def explain(
    rule: str,
    *,
    user: Annotated[str, Parameter(name="--as")],
    project: str = "",
    domain: str = "",
    system: bool = False,
    target: tuple[str, ...] = (),
) -> int:
    """Say whether a user may do what a rule is for, part by part. Exits with 1 when not.

    Parameters
    ----------
    rule: such as os_compute_api:servers:create.
    user: a user: id, name, or NAME@DOMAIN.
    project: the project of the user's token.
    domain: or its domain.
    system: or the whole system.
    target: what is acted on, as KEY=VALUE; may be repeated. Default: what belongs to the user and the scope.
    """
    from pilvi.main import open_database
    from pilvi.ops import policy

    config = _config()
    _load(config)
    one = policy.rule(rule)
    database = open_database(config)
    ctx = policy.context(
        database.read(lambda tx: policy.caller(tx, user, project=project, domain=domain, system=system))
    )
    verdict = policy.explain(one, ctx, _target(target) or policy.own_target(ctx))
    print("\n".join(verdict.lines))
    return 0 if verdict.allowed else 1


@app.command(name="who-can")
def who_can(rule: str, *, project: str = "") -> int:
    """List everybody whom a rule lets act on what is their own.

    Parameters
    ----------
    rule: such as os_compute_api:servers:create.
    project: ask for something of this project instead.
    """
    from pilvi.main import open_database
    from pilvi.ops import policy

    config = _config()
    _load(config)
    one = policy.rule(rule)
    found: list[str] = open_database(config).read(lambda tx: list(policy.who_can(tx, one, project)))
    print("\n".join(found) if found else "Nobody.")
    return 0


def _target(words: tuple[str, ...]) -> dict[str, str]:
    return dict(_pairs(words))


def _pairs(words: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"--target takes KEY=VALUE, not {word}.")
        yield key, value
