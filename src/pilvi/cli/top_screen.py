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
from pilvi.live.client import LiveClient
from pilvi.main import open_database
from pilvi.ops.monitoring import service
from pilvi.ops.monitoring import top as view
from pilvi.ops.monitoring.keys import Moment

HISTORY_S: Final = 3600.0
SHORTEST_S: Final = 1.2
"""`live` gives the same figures for a second."""


def top(config: Config, *, every_s: float, once: bool, as_json: bool) -> None:
    """Draw until interrupted, or one picture with `once` or `as_json`."""
    every_s = max(SHORTEST_S, min(every_s, 3600.0))
    paths = config.paths
    client = LiveClient(paths.live_socket, paths.live_wake_socket, config.front_secret())
    database = open_database(config)
    try:
        before = _look(client)
        time.sleep(SHORTEST_S)
        after = _look(client)
        if as_json:
            sys.stdout.write(orjson.dumps(view.report(before, after), option=orjson.OPT_INDENT_2).decode() + "\n")
        elif once:
            Console().print(view.frame(view.report(before, after), _history(database)))
        else:
            _watch(client, database, before, after, every_s)
    finally:
        client.close()
        database.close()


def _watch(client: LiveClient, database: Database, before: Moment, after: Moment, every_s: float) -> None:
    """On a screen of its own, which is redrawn in one write: nothing flickers, and nothing is left behind."""
    first = view.frame(view.report(before, after), _history(database))
    with Live(first, screen=True, auto_refresh=False, vertical_overflow="crop") as screen:
        screen.refresh()
        while True:
            time.sleep(every_s)
            before, after = after, _look(client)
            screen.update(view.frame(view.report(before, after), _history(database)), refresh=True)


def _look(client: LiveClient) -> Moment:
    try:
        document = orjson.loads(client.figures())
    except Fault as fault:
        raise ConfigError(fault.message) from None
    return view.moment(document, time.monotonic())


def _history(database: Database) -> view.History:
    return database.read(lambda tx: service.remembered(tx, HISTORY_S))
