"""`live` gathers: workers over sockets, agents over their line, the database; and stays silent for strangers."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.kernel import measures, metrics
from pilvi.kernel.config import ImageConfig
from pilvi.kernel.secret_files import SecretFile
from pilvi.ops.monitoring import model, service
from pilvi.ops.monitoring.process import Endpoint
from tests.integration.live.rig import FRONT, Rig, UnixLink

TOKEN = "monitoring-token"


@pytest.fixture
def rig(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    monkeypatch.setattr("pilvi.live.figures.FRESH_S", -1.0)  # Each scrape gathers.
    with tempfile.TemporaryDirectory(prefix="pilvi-live-") as root:
        rig = Rig(Path(root), ImageConfig())
        rig.paths.secrets.mkdir()
        rig.paths.metrics_token.touch(0o600)
        rig.paths.metrics_token.write_text(TOKEN + "\n")
        rig.start()
        try:
            yield rig
        finally:
            rig.stop()


def scrape(rig: Rig) -> str:
    status, headers, body = rig.ask("GET", "/metrics", who=None, Authorization=f"Bearer {TOKEN}")
    assert status == 200, body
    assert headers["content-type"].startswith("text/plain; version=0.0.4")
    return body.decode()


def sources(text: str) -> dict[str, str]:
    """Source → up, from the lines of pilvi_scrape_source_up."""
    lines = [line for line in text.splitlines() if line.startswith("pilvi_scrape_source_up")]
    return {line.split('source="')[1].split('"')[0]: line.split()[-1] for line in lines}


def test_only_the_token_opens_it(rig: Rig) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": TOKEN[:-1]}, {"Authorization": "Bearer "}):
        status, _, body = rig.ask("GET", "/metrics", who="admin", **headers)
        assert status == 401
        assert b"pilvi_" not in body
    assert rig.ask("GET", "/internal/figures", who="admin")[0] == 404  # It came through the front.
    assert 'kind="server"' in scrape(rig)


def test_without_a_token_file_nobody_gets_in(rig: Rig) -> None:
    rig.server.figures._token = SecretFile(rig.paths.secrets / "none")
    for given in ("", TOKEN):
        assert rig.ask("GET", "/metrics", who=None, Authorization=f"Bearer {given}")[0] == 401


def test_workers_have_places_of_their_own_and_a_dead_ones_place_is_taken(rig: Rig) -> None:
    run = rig.paths.run
    first, second = Endpoint(run, "api"), Endpoint(run, "api")
    first.start()
    second.start()
    text = scrape(rig)
    assert (first.path.name, second.path.name) == ("m-api-0.sock", "m-api-1.sock")
    assert {name: up for name, up in sources(text).items() if name.startswith("api")} == {"api 0": "1", "api 1": "1"}
    assert 'process="api",worker="0"' in text
    assert 'process="api",worker="1"' in text
    os.close(first._held)  # As when its process dies: the kernel lets the lock go, the socket's file stays.
    first._socket.close()
    third = Endpoint(run, "api")
    assert third.path == first.path
    third.close()
    second.close()


def test_a_worker_that_is_silent_is_missed_and_harms_nobody(rig: Rig) -> None:
    worker = Endpoint(rig.paths.run, "api")
    worker._socket.close()
    text = scrape(rig)
    assert sources(text)["api 0"] == "0"
    os.close(worker._held)  # It ended for good, as when there are to be fewer workers.
    assert "api 0" not in sources(scrape(rig))
    assert 'pilvi_work_rows{kind="server"}' in text


def test_an_agent_is_asked_over_its_line_and_speaks_of_itself_only(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    told = {"pilvi_host_load1": [[[], 2.5]], "pilvi_audit_violations": [[["x"], 5]], "made_up": [[[], 1]]}
    monkeypatch.setattr("pilvi.agent.link.metrics.snapshot", lambda: told)
    link = UnixLink(rig.config, on_look=lambda: None, console_output=lambda a, b: "", vnc_socket=lambda a: None)

    async def hold() -> asyncio.Task[None]:
        return asyncio.ensure_future(link.run())

    task = rig.run(hold())
    try:
        for _ in range(200):
            if rig.server.agents.connected():
                break
            rig.run(asyncio.sleep(0.05))
        text = scrape(rig)
    finally:
        rig.loop.call_soon_threadsafe(task.cancel)
    assert 'pilvi_host_load1{process="agent",host="node"} 2.5' in text
    assert sources(text)["agent node"] == "1"
    assert "made_up" not in text
    assert 'pilvi_audit_violations{process="agent"' not in text


def test_a_minute_is_remembered(rig: Rig) -> None:
    figures = {"requests_per_s": 1.5}
    rig.run(rig.server.figures._remember(figures))
    assert [row for _, row in rig.database.read(lambda tx: service.remembered(tx, 3600.0))][-1] == figures


def test_commands_get_the_same_as_data(rig: Rig) -> None:
    measures.LOOP_TURNS.inc("server", "done")
    document = json.loads(rig.client.figures())
    parts = [model.Part(labels, model.vet(figures)) for labels, figures in document["parts"]]
    assert model.total(parts, "pilvi_loop_turns_total", kind="server", process="live") >= 1
    assert metrics.CATALOGUE.keys() >= {name for part in parts for name in part.figures}


def test_requests_of_live_are_counted_by_template(rig: Rig) -> None:
    before = count("GET /image/v2/images/{image_id}/file", "404")
    rig.ask("GET", "/image/v2/images/00000000-0000-0000-0000-000000000000/file")
    assert count("GET /image/v2/images/{image_id}/file", "404") == before + 1
    unknown = count("none", "404", "none")
    rig.ask("GET", "/console-of-nobody", **{k: v for k, v in FRONT.items() if k == "Origin"})
    assert count("none", "404", "none") == unknown + 1


def count(route: str, status: str, which: str = "live") -> float:
    samples = {tuple(labels): value for labels, value in measures.REQUESTS.samples()}
    return float(samples.get((which, route, status), 0.0))
