"""Whatever was acknowledged is there after a power cut, wherever in SQLite's writing it comes."""

import random
import threading
from pathlib import Path

import pytest

from pilvi.kernel.sqlite import SqliteDatabase
from tests.contract.client import Client
from tests.contract.conftest import PASSWORD, furnish, login, open_cloud, settle
from tests.integration.power_cut import (
    Acknowledged,
    Cut,
    Entry,
    Record,
    RecordingDisk,
    Synced,
    Wrote,
    acknowledged,
    after_the_cut,
)

CLIENTS, REQUESTS = 4, 25  # Within the quota of networks.
CUTS = 250


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], list[Entry]]:
    """A cloud's disk at first, and what several clients at once made of it."""
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "cloud.db"
    ground = SqliteDatabase(str(path))
    furnish(ground)
    settle(open_cloud(ground, folder))
    close(ground)
    before = {path.name: path.read_bytes()}
    record = Record()
    disk = RecordingDisk(folder, record)
    try:
        database = SqliteDatabase(str(path))
        database._writer.raw.execute("pragma wal_autocheckpoint=100")  # Checkpoints have to be part of the story.
        cloud = settle_again(database, folder)
        write_at_once(cloud, record)
        entries = list(record.entries)
        close(database)
    finally:
        disk.unregister()
    return before, entries


def close(database: SqliteDatabase) -> None:
    """Also the connections of threads that have ended: a file system is not taken away below an open file."""
    for reader in database._readers:
        reader.close()
    database.close()


def settle_again(database: SqliteDatabase, folder: Path) -> Client:
    cloud = open_cloud(database, folder)
    return Client(cloud.app, {}, "/network/v2.0", login(cloud, "admin", PASSWORD, "admin"), database=database)


def write_at_once(cloud: Client, record: Record) -> None:
    """Several clients, so that group commits come about; each tells what it was told."""

    def one(number: int) -> None:
        for turn in range(REQUESTS):
            made = cloud.post("/networks", {"network": {"name": f"net-{number}-{turn}", "description": "x" * 255}})
            assert made.status == 201, made.content
            id = made.body["network"]["id"]
            record.add(Acknowledged(f"network {id}"))
            if turn % 5 == 4:
                record.add(Acknowledged(f"perhaps no network {id}"))
                assert cloud.delete(f"/networks/{id}").status == 204
                record.add(Acknowledged(f"no network {id}"))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)


def test_the_story_has_group_commits_and_checkpoints(story: tuple[dict[str, bytes], list[Entry]]) -> None:
    _, entries = story
    made = len(acknowledged(entries))
    assert made >= CLIENTS * REQUESTS
    of_log = sum(isinstance(entry, Synced) and entry.file.endswith("-wal") for entry in entries)
    assert 0 < of_log < 2 * made
    assert any(isinstance(entry, Synced) and entry.file == "cloud.db" for entry in entries), "no checkpoint came"
    assert any(isinstance(entry, Wrote) and entry.file == "cloud.db" for entry in entries)


def cuts(entries: list[Entry], count: int, rng: random.Random) -> list[int]:
    """Everywhere, and more often around syncs and acknowledgements, where mistakes would be."""
    edges = [n for n, entry in enumerate(entries) if isinstance(entry, Synced | Acknowledged | Cut)]
    near = [min(len(entries), max(0, rng.choice(edges) + rng.randrange(-1, 3))) for _ in range(count // 2)]
    return near + [rng.randrange(len(entries) + 1) for _ in range(count - len(near))]


def lost(folder: Path, files: dict[str, bytes], promised: list[str]) -> list[str]:
    """What is missing on a disk, as a restarted cloud sees it; `damaged` when it cannot be read at all."""
    for leftover in folder.iterdir():
        leftover.unlink()
    for name, data in files.items():
        if not name.endswith("-shm"):
            (folder / name).write_bytes(data)
    database = SqliteDatabase(str(folder / "cloud.db"))
    try:
        raw = database._writer.raw
        if raw.execute("pragma quick_check").fetchall() != [("ok",)]:
            return ["damaged"]
        there = {f"network {id}" for (id,) in raw.execute("select id from network_networks")}
    finally:
        database.close()
    gone = {what.removeprefix("no ") for what in promised if what.startswith("no ")}
    going = {what.removeprefix("perhaps no ") for what in promised if what.startswith("perhaps no ")}
    missing = [what for what in promised if what.startswith("network ") and what not in there | going]
    return missing + [f"{what} is back" for what in gone & there]


def test_what_was_acknowledged_survives_every_power_cut(
    story: tuple[dict[str, bytes], list[Entry]], tmp_path: Path
) -> None:
    before, entries = story
    rng = random.Random(4)
    for at in cuts(entries, CUTS, rng):
        found = after_the_cut(before, entries[:at], rng)
        assert lost(tmp_path, found, acknowledged(entries[:at])) == [], f"power cut after entry {at}"


def test_a_disk_that_lies_is_found_out(story: tuple[dict[str, bytes], list[Entry]], tmp_path: Path) -> None:
    """Else the test above could not fail: without syncs promises must break."""
    before, entries = story
    rng = random.Random(4)
    broken = 0
    for at in cuts(entries, 30, rng):
        try:
            broken += bool(
                lost(tmp_path, after_the_cut(before, entries[:at], rng, lies=True), acknowledged(entries[:at]))
            )
        except Exception:
            broken += 1  # It does not even open.
    assert broken > 5
