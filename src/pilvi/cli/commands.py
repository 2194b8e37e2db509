"""The commands people use."""

import json
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from pilvi import __version__
from pilvi.cli import explain, keys, policy, watch
from pilvi.client import ApiError
from pilvi.kernel.config import Config, ConfigError
from pilvi.ops import site
from pilvi.ops.progress import Progress, StepFailed

app = App(
    name="pilvi",
    version=__version__,
    help="An OpenStack cloud in one package. `--state DIR` before a command names another cloud than /var/lib/pilvi.",
)
app.command(policy.app)
explain.add_to(app)
watch.add_to(app)
keys.add_to(app)
Rest = Annotated[str, Parameter(allow_leading_hyphen=True, show=False)]


def run(words: Sequence[str]) -> int:
    """What can go wrong in a command becomes a message and an exit status."""
    try:
        result = app(words, exit_on_error=False, print_error=True, result_action="return_value")
        sys.stdout.flush()
    except (StepFailed, ConfigError, ApiError) as error:
        return _complain(str(error), 1)
    except KeyboardInterrupt:
        return _complain("interrupted; run the command again to go on.", 130)
    except BrokenPipeError:  # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:
        from cyclopts import CycloptsError

        if isinstance(error, CycloptsError):
            return 2
        raise
    return result if isinstance(result, int) else 0


def _complain(message: str, status: int) -> int:
    print(f"pilvi: {message}", file=sys.stderr)
    return status


@app.command
def up(
    *,
    listen: str | None = None,
    public_url: str | None = None,
    tls: bool | None = None,
    set: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    image: bool = True,
    image_file: Path | None = None,
) -> int:
    """Make the cloud, or bring back what is missing of it. Run again, it changes nothing.

    Parameters
    ----------
    listen: the public ADDRESS:PORT; beyond loopback it needs --tls.
    public_url: what the catalog says, where it is not the address listened on.
    tls: serve TLS, with a certificate of the cloud's own CA unless the configuration names another.
    set: any other setting of a new cloud, as PART.KEY=VALUE; may be repeated.
    image: build and register the tiny guest image.
    image_file: register this one instead of building it.
    """
    site.require_root()
    from pilvi.ops import setup, state

    settings = state.parse_settings(list(set))
    for part, key, value in (("front", "listen", listen), ("cloud", "public_url", public_url), ("front", "tls", tls)):
        if value is not None:
            settings.setdefault(part, {})[key] = value
    progress = Progress()
    config = setup.run(setup.Wishes(site.state_dir(None), settings, image, image_file), progress)
    if not progress.changes:
        progress.say("Everything was there already; nothing was changed.")
    progress.say(setup.summary(config))
    return 0


@app.command
def down(*, purge: bool = False) -> int:
    """Stop the processes and shut the guests down.

    Parameters
    ----------
    purge: also remove guests, namespaces and files: nothing of the cloud is left on this machine.
    """
    site.require_root()
    from pilvi.ops import teardown

    if not (site.state_dir(None) / "pilvi.toml").exists():
        print(f"There is no cloud in {site.state_dir(None)}.")
        return 0
    teardown.run(_config(), Progress(), purge=purge)
    return 0


@app.command
def status(*, as_json: Annotated[bool, Parameter(name="--json")] = False) -> int:
    """Show processes, versions, addresses and servers. Exits with 1 when a process is down.

    Parameters
    ----------
    as_json: print the same as JSON.
    """
    from pilvi.ops import show

    document = show.report(_config())
    print(json.dumps(document, indent=1) if as_json else "\n".join(show.lines(document)))
    return 0 if all(process["pid"] for process in document["processes"]) else 1


@app.command
def doctor(*, settings: bool = False) -> int:
    """Try out whether this machine can carry a cloud. Exits with 1 when something keeps it from working.

    Parameters
    ----------
    settings: also print every setting in force and where it comes from.
    """
    from pilvi.ops import doctor as ward

    config = _config_or_defaults()
    bad = False
    for finding in ward.examine(config):
        bad = bad or finding.level == "bad"
        print(f"{finding.level} {finding.subject}: {finding.text}", flush=True)
        if finding.remedy and finding.level != "good":
            print(f"     remedy: {finding.remedy}", flush=True)
    if settings:
        print("\n".join(ward.settings(config)))
    return int(bad)


@app.command
def env() -> int:
    """Print shell lines that export OS_*: eval "$(./pilvi env)"."""
    for name, value in site.openstack_variables(_config()).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


@app.command(help_flags=[], version_flags=[])
def openstack(*words: Rest) -> int:
    """Run the stock OpenStack client as the cloud's admin."""
    config = _config()
    program = Path(sys.executable).parent / "openstack"
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    chosen = {"OS_CLIENT_CONFIG_FILE": str(config.paths.clouds_yaml), "OS_CLOUD": site.CLOUD_NAME}
    kept = {name: os.environ[name] for name in os.environ if name.startswith("OS_COMPUTE_API")}
    os.execve(program, [str(program), *words], {**inherited, **kept, **chosen})


@app.command
def ssh(
    server: str, *command: Rest, user: str = "cirros", identity: Annotated[Path | None, Parameter(alias="-i")] = None
) -> int:
    """Log into a server from inside its network; the machine's own network is not touched.

    Parameters
    ----------
    server: its id or name.
    user: whom to log in as.
    identity: a private key.
    """
    site.require_root()
    from pilvi.ops import guest_ssh

    words = list(command)
    guest_ssh.enter(_config(), server, words[1:] if words[:1] == ["--"] else words, user=user, identity=identity)


@app.command
def check() -> int:
    """Run the gates: format, lint, types, import contracts, house rules."""
    from pilvi.ops import gates

    gates.check()
    return 0


@app.command(name="test", help_flags=[], version_flags=[])
def run_tests(kind: str = "all", *words: Rest) -> int:
    """Run the gates and the tests of a kind: unit, contract, integration, e2e or all. Further words go to pytest.

    Parameters
    ----------
    kind: which tests.
    """
    from pilvi.ops import gates

    if kind != "all" and kind not in gates.KINDS:
        raise ConfigError(f"There are no tests of the kind {kind}; the kinds are {', '.join(gates.KINDS)} and all.")
    gates.test(gates.KINDS if kind == "all" else (kind,), words)
    return 0


@app.command
def sim(
    *,
    seed: int = 1,
    seeds: int = 1,
    steps: int = 6000,
    trace: bool = False,
    jobs: int | None = None,
    planted: str | None = None,
) -> int:
    """For developers: run the whole cloud in one thread, with tenants and misfortunes that a seed decides.

    Parameters
    ----------
    seed: which one, or the first of several.
    seeds: how many; ends at the first that finds something.
    steps: until tenants and misfortunes stop and all must settle.
    trace: print every step; for one seed.
    jobs: seeds at once.
    planted: with this known bug in the code; a wrong name lists them.
    """
    from pilvi.ops import sim as simulation

    words = ["--seed", str(seed), "--seeds", str(seeds), "--steps", str(steps)]
    words += ["--trace"] if trace else []
    words += ["--jobs", str(jobs)] if jobs is not None else []
    return simulation.run(words + (["--planted", planted] if planted is not None else []))


@app.command
def lock() -> int:
    """For developers: write requirements/*.lock anew from pyproject.toml."""
    from pilvi.ops import gates

    gates.lock()
    return 0


def _config() -> Config:
    return site.load_config(None)


def _config_or_defaults() -> Config:
    """A machine is examined before there is a cloud as well."""
    from pilvi.kernel.config import parse

    if (site.state_dir(None) / "pilvi.toml").exists():
        return _config()
    return parse({"cloud": {"state_dir": str(site.state_dir(None))}})
