"""The terminal side of `pilvi top`: asks `live`, draws, waits."""

import sys
import time
from typing import Final

import orjson
from rich.console import Console
from rich.live import Live

from pilvi.kernel.config import Config, ConfigError
from pilvi.kernel.db import Database
from pilvi.kernel.errors import Fault
from pilvi.kernel.secret_files import SecretFile
from pilvi.live.client import LiveClient
from pilvi.main import open_database
from pilvi.ops.monitoring import service
from pilvi.ops.monitoring import top as view
from pilvi.ops.monitoring.keys import Moment

HISTORY_S: Final = 3600.0
PIPE_WIDTH: Final = 140
SHORTEST_S: Final = 1.2
"""`live` gives the same figures for a second."""


def top(config: Config, *, every_s: float, once: bool, as_json: bool) -> None:
    """Draw until interrupted, or one picture with `once` or `as_json`."""
    every_s = max(SHORTEST_S, min(every_s, 3600.0))
    paths = config.paths
    client = LiveClient(paths.live_socket, paths.live_wake_socket, SecretFile(paths.front_secret))
    database = open_database(config)
    try:
        before = _look(client)
        time.sleep(SHORTEST_S)
        after = _look(client)
        if as_json:
            sys.stdout.write(orjson.dumps(view.report(before, after), option=orjson.OPT_INDENT_2).decode() + "\n")
        elif once:
            console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
            console.print(view.frame(view.report(before, after), _history(database), console.width))
        else:
            _watch(client, database, before, after, every_s)
    finally:
        client.close()
        database.close()


def _watch(client: LiveClient, database: Database, before: Moment, after: Moment, every_s: float) -> None:
    """On a screen of its own, which is redrawn in one write: nothing flickers, and nothing is left behind."""
    console = Console()
    with Live(console=console, screen=True, auto_refresh=False, vertical_overflow="crop") as screen:
        while True:
            screen.update(view.frame(view.report(before, after), _history(database), console.width), refresh=True)
            time.sleep(every_s)
            before, after = after, _look(client)


def _look(client: LiveClient) -> Moment:
    try:
        document = orjson.loads(client.figures())
    except Fault as fault:
        raise ConfigError(fault.message) from None
    return view.moment(document, time.monotonic())


def _history(database: Database) -> view.History:
    return database.read(lambda tx: service.remembered(tx, HISTORY_S))


def past(config: Config, since: float, *, as_json: bool) -> int:
    """The built-in store since a moment. Returns how many rows there were."""
    database = open_database(config)
    try:
        history = database.read(lambda tx: service.remembered(tx, max(60.0, time.time() - since)))
    finally:
        database.close()
    found = view.past(history)
    if as_json:
        document = {"at": [at for at, _ in history], "series": found}
        sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")
    else:
        console = Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
        console.print(view.past_table(found, history))
    return len(history)
