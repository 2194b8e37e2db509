"""The commands that tell what is, what was, and why: why, why-not, history, at, audit."""

import json
from typing import Annotated, Any

from cyclopts import App, Parameter

from pilvi.kernel.config import Config, ConfigError
from pilvi.ops import site

Json = Annotated[bool, Parameter(name="--json")]


def add_to(app: App) -> None:
    """Put the commands of this file into the program's own."""
    app.command(why)
    app.command(why_not, name="why-not")
    app.command(history)
    app.command(show)
    app.command(audit)


def _read(work: Any) -> Any:
    from pilvi.main import open_database

    config: Config = site.load_config(None)
    database = open_database(config)
    try:
        return database.read(work)
    finally:
        database.close()


def _print(document: Any) -> None:
    print(json.dumps(document, indent=1, default=str, ensure_ascii=False))


def why(what: str, *, tree: bool = False, as_json: Json = False) -> int:
    """Say why a server, port, network, router, floating IP, image, request, host or work key is as it is.

    Parameters
    ----------
    what: an id, a name, an address, a request id, a trace, a host, or a work key such as "server ID".
    tree: show what happened as a tree of spans with times.
    as_json: print the same as JSON.
    """
    from pilvi.ops.explain import service, text

    stories = _read(lambda tx: service.explain(tx, what))
    if as_json:
        _print([text.document(story) for story in stories])
    elif not stories:
        print(f"Nothing is known of {what}. Give an id, a name or a request id such as req-…; events are kept 30 days.")
        if what.startswith("req-"):
            print(f"Requests that only read leave no event; the logs have them: pilvi logs --request {what}")
    else:
        print("\n\n".join("\n".join(text.lines(story, tree=tree)) for story in stories))
    return 0 if stories else 1


def why_not(
    *,
    flavor: str,
    image: str,
    network: str | None = None,
    host: str | None = None,
    project: str | None = None,
    as_json: Json = False,
) -> int:
    """Ask the scheduler where such a server would go, and why not elsewhere. Makes nothing; exits with 1 for nowhere.

    Parameters
    ----------
    flavor: name or id.
    image: name or id.
    network: name or id.
    host: only this one.
    project: the id of a project whose quota shall count.
    as_json: print the same as JSON.
    """
    from pilvi.ops.explain import service, text

    story = _read(
        lambda tx: service.why_not(tx, flavor=flavor, image=image, network=network, host=host, project=project)
    )
    if as_json:
        _print(text.document(story))
    else:
        print("\n".join(text.lines(story)))
        for name, reason in (story.fields.get("refused") or {}).items() if not story.causes else ():
            print(f"  not on {name}: {reason}")
    return int(bool(story.causes))


def history(what: str, *, limit: int = 50, before: str | None = None, as_json: Json = False) -> int:
    """Say who changed what of a resource, and when: its newest changes, and how to get the older ones.

    Parameters
    ----------
    what: an id or a name.
    limit: how many changes, 1 to 1000.
    before: only changes before this ISO 8601 time, or before what the last page printed.
    as_json: print the same as JSON.
    """
    from pilvi.ops.explain import service, text

    if not 1 <= limit <= 1000:
        raise ConfigError(f"--limit is a number from 1 to 1000, not {limit}.")
    try:
        place = None if before is None else text.place(before)
    except ValueError:
        raise ConfigError(f"--before wants a time such as 2026-11-22T18:00Z, not {before!r}.") from None
    found = _read(lambda tx: service.history_of(tx, what, limit, place))
    if as_json:
        _print([text.changes_document(page) for page in found])
    for page in () if as_json else found:
        print(f"{page.kind} {page.id}")
        for event in page.events:
            print("\n".join(text.change(event)))
        if page.older is not None:
            print(f"… older: pilvi history {page.id} --limit {limit} --before {text.older(page.older)}")
    if not found:
        print(f"Nothing is known of {what}.")
    return 0 if found else 1


def show(what: str, *, at: str | None = None, as_json: Json = False) -> int:
    """Show a resource as it is, or as it was at a time.

    Parameters
    ----------
    what: an id or a name.
    at: an ISO 8601 time such as 2026-11-22T18:00Z; default: now.
    as_json: print the same as JSON.
    """
    from pilvi.kernel import clock
    from pilvi.ops.explain import service, text

    try:
        moment = clock.timestamp(clock.now() if at is None else clock.parse(at))
    except ValueError:
        raise ConfigError(f"--at wants an ISO 8601 time such as 2026-11-22T18:00Z, not {at!r}.") from None
    found = _read(lambda tx: service.state_at(tx, what, moment))
    if as_json:
        _print([text.past_document(past) for past in found])
    else:
        print("\n\n".join("\n".join(text.past_lines(past, moment)) for past in found) or f"Nothing is known of {what}.")
    return 0 if any(past.state.exists for past in found) else 1


def audit(*, as_json: Json = False) -> int:
    """Look at every invariant now, and say what breaks it and since when. Exits with 1 for a violation.

    Parameters
    ----------
    as_json: print the same as JSON.
    """
    from pilvi.ops.audit import report

    document = _read(report.document)
    if as_json:
        _print(document)
    else:
        print("\n".join(report.lines(document)))
    return int(any(each["violations"] for each in document["invariants"]))
