"""What events, figures and traces cost the API process: CPU of writes and reads with and without them, by turns.

    .venv/bin/python bench/overhead.py [--rounds N] [--postgresql URL]

One cloud in process. First nothing is remembered of changes, no event is written, no figure counted. Then with events;
with figures, as every cloud runs; and with traces, where each request, transaction and turn is a span that is put into
a document of OTLP. Only the application's own CPU counts, not that of who asks. The product has no such switch: the
bench puts empty functions in place of the true ones.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from unittest import mock

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import pilvi.ops.explain.service  # noqa: E402, F401 declares what is remembered
from pilvi import main as program  # noqa: E402
from pilvi.identity import facade as identity  # noqa: E402
from pilvi.image.image_data import service as image_data  # noqa: E402
from pilvi.image.image_data.model import Received  # noqa: E402
from pilvi.image.images.model import Status  # noqa: E402
from pilvi.kernel import facts, log, metrics, tracing  # noqa: E402
from pilvi.kernel.config import CloudConfig, Config, Secret  # noqa: E402
from pilvi.kernel.context import internal  # noqa: E402
from pilvi.kernel.db import REMEMBERED, Database, connect, metadata  # noqa: E402
from pilvi.kernel.http import Edge  # noqa: E402
from pilvi.kernel.tracing import Tracer  # noqa: E402
from pilvi.ops.monitoring.requests import observe_request  # noqa: E402
from pilvi.ops.monitoring.traced import TracedApplication, TracedDatabase  # noqa: E402
from tests.contract.client import Client  # noqa: E402
from tests.contract.compute.conftest import FACTS, Node  # noqa: E402
from tests.contract.conftest import furnish, open_cloud, settle  # noqa: E402

WRITE_GOAL, READ_GOAL = 0.15, 0.02
"""Reads: nothing, as far as a ratio can tell."""
HUGE = {"vcpus": 4096, "memory_mib": 4_000_000, "disk_gib": 100_000}
MODES = ("without", "events", "and figures", "and traces")
WARM, IN_A_ROW = 2, 4
"""Of each turn: rounds that warm up after the change, and rounds that count."""


class Measured:
    """An application that knows how much CPU this process has spent in it."""

    def __init__(self, application: Callable[..., Any]) -> None:
        self._application = application
        self.spent_s = 0.0

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        began = time.thread_time()
        try:
            return self._application(environ, start_response)
        finally:
            self.spent_s += time.thread_time() - began


def nothing(*_: Any, **__: Any) -> None:
    """In place of what writes events and counts figures."""


@contextmanager
def mode(name: str, tracer: Tracer) -> Iterator[None]:
    with ExitStack() as undo:
        if name in ("without", "events"):
            undo.enter_context(mock.patch.object(metrics.Counter, "inc", nothing))
            undo.enter_context(mock.patch.object(metrics.Histogram, "observe", nothing))
        if name == "without":
            for function in ("request", "record", "act", "tell"):
                undo.enter_context(mock.patch.object(facts, function, nothing))
            for table in metadata.tables.values():
                if REMEMBERED in table.info:
                    undo.enter_context(mock.patch.dict(table.info))
                    del table.info[REMEMBERED]
        if name == "and traces":
            undo.callback(tracing.use, tracing.use(tracer))
        yield


@dataclass
class Bench:
    clients: dict[str, Client]
    measured: dict[str, Measured]
    tracer: Tracer
    rounds: int

    def row(self, what: str, action: Callable[[Client], Any], goal: float, *, rounds: int | None = None) -> None:
        """Medians of many rounds by turns: the machine may be busy with something else for a while."""
        spent: dict[str, list[float]] = {name: [] for name in MODES}
        for _ in range((rounds or self.rounds) // IN_A_ROW):
            for name in MODES:
                with mode(name, self.tracer):
                    times = [self.once(name, action) for _ in range(WARM + IN_A_ROW)]
                spent[name] += times[WARM:]
        ms = {name: statistics.median(values) for name, values in spent.items()}
        added = {name: ms[name] / ms["without"] - 1 for name in MODES[1:]}
        verdict = "ok" if added["events"] <= goal else "MISSED"
        told = "   ".join(f"{name} {ratio:+6.1%}" for name, ratio in added.items())
        print(f"{what:36} {told}   goal for events {goal:.0%}   {verdict}")
        print("    ms CPU: " + ", ".join(f"{name} {value:.3f}" for name, value in ms.items()), flush=True)

    def once(self, name: str, action: Callable[[Client], Any]) -> float:
        """CPU of one round in ms; what the action returns takes away what it made."""
        measured = self.measured[name]
        before = measured.spent_s
        undo = action(self.clients[name])
        if name == "and traces":
            began = time.thread_time()
            self.tracer._send_all()
            measured.spent_s += time.thread_time() - began
        after = measured.spent_s
        if undo is not None:
            undo()
        return (after - before) * 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--postgresql", default="")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pilvi-bench-") as folder:
        log.configure("bench", Path(folder))
        database = connect(arguments.postgresql or f"{folder}/cloud.db")
        furnish(database)
        bench = open_bench(database, Path(folder), arguments.rounds)
        writes(bench, database)
        reads(bench)
        database.close()
    return 0


def open_bench(database: Database, folder: Path, rounds: int) -> Bench:
    """One database, one application for each mode; that with traces is wrapped as a cloud with a collector is."""
    config = Config(cloud=CloudConfig(state_dir=folder))
    first = settle(open_cloud(database, folder))
    measured = {}
    for name in MODES:
        traced = name == "and traces"
        edge = Edge(
            TracedDatabase(database) if traced else database,
            program.services_of(config),
            identity.authenticate,
            public_url=config.cloud.public_url,
            front_secret=Secret("front-secret"),
            permits=identity.permits,
            observe=None if name in ("without", "events") else observe_request,
        )
        application = edge.application()
        measured[name] = Measured(TracedApplication(application) if traced else application)
    clients = {name: replace(first, app=measured[name]) for name in MODES}
    return Bench(clients, measured, Tracer("bench", "here", lambda body: None), rounds)


def writes(bench: Bench, database: Database) -> None:
    admin = bench.clients["events"].as_admin()
    project, net = admin.facts["demo"], admin.at("/network/v2.0")
    quota = dict.fromkeys(("network", "subnet", "port", "security_group"), -1)
    assert net.put(f"/quotas/{project}", {"quota": quota}).status == 200
    quotas = dict.fromkeys(("instances", "cores", "ram"), -1) | {"force": True}
    assert admin.put(f"/os-quota-sets/{project}", {"quota_set": quotas}).status == 200
    bench.row("create network, subnet, port", make_network, WRITE_GOAL)
    bench.row("create user", partial(make_user, password="a-long-password"), WRITE_GOAL, rounds=8)
    bench.row("create user without a password", make_user, WRITE_GOAL)
    wanted = furniture(bench.clients["events"], database)

    def make_server(client: Client) -> Callable[[], None]:
        node = Node(client)
        reply = client.post("/servers", {"server": wanted}, microversion="2.37")
        assert reply.status == 202, reply.content
        node.turn()  # Its host says that it runs.

        def remove() -> None:
            client.delete(f"/servers/{reply.body['server']['id']}")
            node.turn()

        return remove

    bench.row("create server, until it is active", make_server, WRITE_GOAL, rounds=bench.rounds // 2)


def make_network(client: Client) -> None:
    net = client.at("/network/v2.0")
    network = net.post("/networks", {"network": {"name": "n"}}).body["network"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/24"}
    assert net.post("/subnets", {"subnet": subnet}).status == 201
    assert net.post("/ports", {"port": {"network_id": network}}).status == 201


numbers = count()


def make_user(client: Client, **more: str) -> None:
    """Hashing a password costs more than all the rest."""
    body = {"user": {"name": f"user {next(numbers)}", "domain_id": "default", **more}}
    reply = client.as_admin().at("/identity/v3").post("/users", body)
    assert reply.status == 201, reply.content


def furniture(client: Client, database: Database) -> dict[str, Any]:
    """A host, an image with imagined data, a flavor and a network: what a server is asked for with."""
    Node(client).report(host=FACTS | HUGE, started=True)
    admin = client.as_admin()
    image = {"name": "tiny", "disk_format": "qcow2", "container_format": "bare", "visibility": "public"}
    image_id = admin.at("/image/v2").post("/images", image).body["id"]
    ctx = internal("req-bench")
    transfer = database.write(lambda tx: image_data.begin(ctx, tx, image_id, store="file"))
    received = Received(1_000_000, 50 * 1024**2, "0" * 32, "a" * 128)
    database.write(lambda tx: image_data.finish(ctx, tx, transfer, received, states=(Status.SAVING,)))
    flavor = {"flavor": {"name": "m1.nano", "id": "1", "ram": 192, "vcpus": 1, "disk": 1}}
    assert admin.post("/flavors", flavor).status == 200
    net = client.at("/network/v2.0")
    network = net.post("/networks", {"network": {"name": "net"}}).body["network"]["id"]
    subnet = {"network_id": network, "ip_version": 4, "cidr": "10.0.0.0/16"}
    assert net.post("/subnets", {"subnet": subnet}).status == 201
    return {"name": "one", "imageRef": image_id, "flavorRef": "1", "networks": [{"uuid": network}]}


def reads(bench: Bench) -> None:
    def ask(what: str, prefix: str, path: str, **headers: str) -> None:
        def look(client: Client) -> None:
            asked = client.as_admin().at(prefix)
            for _ in range(20):
                assert asked.get(path, headers=headers).status == 200

        bench.row(what, look, READ_GOAL)

    token = bench.clients["events"].tokens["member"]
    ask("20 x validate a token", "/identity/v3", "/auth/tokens", **{"X-Subject-Token": token})
    ask("20 x list flavors", "/compute/v2.1", "/flavors/detail")
    ask("20 x list images", "/image/v2", "/images")


if __name__ == "__main__":
    sys.exit(main())
