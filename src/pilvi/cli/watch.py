"""The commands that show what goes on: top and logs."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from pilvi.ops import site

Json = Annotated[bool, Parameter(name="--json")]


def add_to(app: App) -> None:
    """Put the commands of this file into the program's own."""
    app.command(top)
    app.command(logs)


def top(*, every: float = 2.0, once: bool = False, since: str = "", as_json: Json = False) -> int:
    """Watch hosts, guests, loops and requests. Ctrl-C ends it.

    Parameters
    ----------
    every: seconds between two pictures, over which rates are taken.
    once: print one picture and end.
    since: print what was remembered since 2h, 7d or a time, and end.
    as_json: print the same as JSON and end.
    """
    from pilvi.cli import top_screen
    from pilvi.ops.logs import moment

    site.require_root()
    config = site.load_config(None)
    if since:
        return 0 if top_screen.past(config, moment(since), as_json=as_json) else 1
    top_screen.top(config, every_s=every, once=once or not sys.stdout.isatty(), as_json=as_json)
    return 0


def logs(
    *words: str,
    request: str = "",
    process: str = "",
    level: str = "",
    since: str = "",
    lines: int = 40,
    follow: Annotated[bool, Parameter(alias="-f")] = False,
    as_json: Json = False,
) -> int:
    """Search the logs of all processes. Exits with 1 when nothing was found.

    Parameters
    ----------
    words: every one of them must be in the line; its end may be left out.
    request: only lines of this request id.
    process: only of front, api, live, agent or supervisor.
    level: only debug, info, warning, error or critical.
    since: only newer than 30s, 10m, 2h, 1d or a time.
    lines: how many at most, the newest.
    follow: go on with new lines.
    as_json: print the lines as they were written.
    """
    from pilvi.ops import logs as reader

    wish = reader.wish_of(words, request, process, level, since)
    found = False
    for line in reader.read(site.load_config(None), wish, lines, follow=follow, as_json=as_json):
        print(line, flush=follow)
        found = True
    return 0 if found else 1
