"""The books: who holds what, and that nobody ever holds more than there is."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from pilvi.kernel import ids
from pilvi.kernel.db import Database
from pilvi.kernel.errors import Conflict
from pilvi.placement import facade
from pilvi.placement.allocations.model import Wish
from tests.contract.placement.conftest import Place


def usage(place: Place, uuid: str) -> dict[str, int]:
    found: dict[str, int] = place.get(f"/resource_providers/{uuid}/usages").body["usages"]
    return found


def test_what_is_put_is_shown_and_counted(place: Place, consumer: str) -> None:
    uuid = place.provider("host", VCPU=8, MEMORY_MB=1024)
    assert place.allocate(consumer, {uuid: {"VCPU": 2, "MEMORY_MB": 512}}).status == 204
    shown = place.get(f"/allocations/{consumer}").body
    assert shown["allocations"][uuid]["resources"] == {"VCPU": 2, "MEMORY_MB": 512}
    assert (shown["consumer_generation"], shown["consumer_type"], shown["project_id"]) == (1, "INSTANCE", "p")
    assert usage(place, uuid) == {"VCPU": 2, "MEMORY_MB": 512}
    held = place.get(f"/resource_providers/{uuid}/allocations").body["allocations"]
    assert held[consumer]["consumer_generation"] == 1
    totals = place.get("/usages?project_id=p").body["usages"]
    assert totals == {"INSTANCE": {"consumer_count": 1, "VCPU": 2, "MEMORY_MB": 512}}
    assert place.get("/usages?project_id=p", at="1.37").body["usages"] == {"VCPU": 2, "MEMORY_MB": 512}
    assert place.ask("DELETE", f"/allocations/{consumer}").status == 204
    assert usage(place, uuid) == {"VCPU": 0, "MEMORY_MB": 0}
    assert place.get(f"/allocations/{consumer}").body == {"allocations": {}}


def test_consumer_generations_guard_every_write(place: Place, consumer: str) -> None:
    uuid = place.provider("host", VCPU=8)
    assert place.allocate(consumer, {uuid: {"VCPU": 1}}, 5).status == 409
    assert place.allocate(consumer, {uuid: {"VCPU": 1}}).status == 204
    again = place.allocate(consumer, {uuid: {"VCPU": 2}})
    assert (again.status, again.body["errors"][0]["code"]) == (409, "placement.concurrent_update")
    assert place.allocate(consumer, {uuid: {"VCPU": 2}}, 1).status == 204
    assert place.allocate(consumer, {}, 2).status == 204
    assert usage(place, uuid) == {"VCPU": 0}
    assert place.allocate(consumer, {uuid: {"VCPU": 1}}).status == 204


@pytest.mark.parametrize("amount", [9, 3, 0, -1, 1.5, "2"])
def test_what_does_not_fit_is_refused_and_changes_nothing(place: Place, consumer: str, amount: object) -> None:
    uuid = place.provider("host")
    inventory = {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 8, "step_size": 2}}}
    place.ask("PUT", f"/resource_providers/{uuid}/inventories", inventory)
    refused = place.allocate(consumer, {uuid: {"VCPU": amount}})  # type: ignore[dict-item]
    assert refused.status == (409 if amount in (9, 3) else 400)
    assert usage(place, uuid) == {"VCPU": 0}


def test_names_that_are_not_there_are_400(place: Place, consumer: str) -> None:
    uuid = place.provider("host", VCPU=8)
    assert place.allocate(consumer, {ids.uuid(): {"VCPU": 1}}).status == 400
    assert place.allocate(consumer, {uuid: {"COWS": 1}}).status == 400
    assert place.allocate(consumer, {uuid: {"DISK_GB": 1}}).status == 409
    assert place.allocate("not-a-uuid", {uuid: {"VCPU": 1}}).status == 400


def test_several_consumers_change_places_in_one_step(place: Place, consumer: str) -> None:
    uuid, migration = place.provider("host", VCPU=4), ids.uuid()
    assert place.allocate(consumer, {uuid: {"VCPU": 4}}).status == 204
    owner = {"project_id": "p", "user_id": "u", "consumer_type": "INSTANCE"}
    document = {
        consumer: {"allocations": {}, "consumer_generation": 1, **owner},
        migration: {"allocations": {uuid: {"resources": {"VCPU": 4}}}, "consumer_generation": None, **owner},
    }
    assert place.ask("POST", "/allocations", document).status == 204
    assert usage(place, uuid) == {"VCPU": 4}
    assert place.get(f"/allocations/{consumer}").body["allocations"] == {}


def test_the_reshaper_moves_all_or_nothing(place: Place, consumer: str, cloud: object) -> None:
    root = place.provider("root", VCPU=4, DISK_GB=10)
    child = place.provider("child", root)
    place.allocate(consumer, {root: {"VCPU": 2}})
    document = {
        "inventories": {
            root: {"resource_provider_generation": place.generation(root), "inventories": {"DISK_GB": {"total": 10}}},
            child: {"resource_provider_generation": 0, "inventories": {"VCPU": {"total": 4}}},
        },
        "allocations": {
            consumer: {
                "allocations": {child: {"resources": {"VCPU": 2}}}, "consumer_generation": 1,
                "project_id": "p", "user_id": "u", "consumer_type": "INSTANCE",
            }
        },
    }  # fmt: skip
    refused = place.ask("POST", "/reshaper", document)
    assert refused.status == 403  # It is for services only.
    from pilvi.kernel.context import internal
    from pilvi.placement.allocations.wire import wish
    from pilvi.placement.reshaper import service

    wishes = [(wish(consumer, document["allocations"][consumer]), 1)]
    database = place.client.database
    database.write(lambda tx: service.reshape(internal("req"), tx, document["inventories"], wishes))
    assert usage(place, root) == {"DISK_GB": 0}
    assert usage(place, child) == {"VCPU": 2}


# ---- compute's way in --------------------------------------------------------------------------------------------


def furnish(database: Database, vcpus: int) -> str:
    uuid = ids.uuid()
    stock = {"VCPU": facade.Inventory(vcpus), "MEMORY_MB": facade.Inventory(1000)}
    database.write(
        lambda tx: facade.ensure_provider(tx, name="node", uuid=uuid, inventories=stock, traits=["CUSTOM_A"])
    )
    return uuid


def claim(uuid: str, vcpus: int, memory: int = 1, consumer: str = "") -> Callable[[object], None]:
    resources = {uuid: {"VCPU": vcpus, "MEMORY_MB": memory}}
    return lambda tx: facade.claim(
        tx,
        consumer_id=consumer or ids.uuid(),
        project_id="p",
        user_id="u",
        consumer_type="INSTANCE",
        resources=resources,
    )  # type: ignore[arg-type]


def test_a_provider_is_ensured_once_and_changed_when_it_must(database: Database) -> None:
    uuid = furnish(database, 8)
    stock = {"VCPU": facade.Inventory(8), "MEMORY_MB": facade.Inventory(1000)}

    def ensure(**more: object) -> bool:
        wanted = {"name": "node", "uuid": uuid, "inventories": stock, "traits": ["CUSTOM_A"], **more}
        return database.write(lambda tx: facade.ensure_provider(tx, **wanted))  # type: ignore[arg-type]

    assert not ensure()
    grown = {"VCPU": facade.Inventory(9)}
    assert ensure(inventories=grown)
    assert ensure(inventories=grown, traits=[])
    (provider,) = database.read(facade.providers_snapshot)
    assert provider.inventories["VCPU"].total == 9
    assert provider.traits == frozenset()


def test_half_a_claim_is_undone_so_that_the_caller_may_try_elsewhere(database: Database) -> None:
    uuid = furnish(database, 8)

    def try_twice(tx: object) -> None:
        with pytest.raises(Conflict):
            claim(uuid, 9)(tx)
        claim(uuid, 8)(tx)

    database.write(try_twice)
    (provider,) = database.read(facade.providers_snapshot)
    assert {name: i.used for name, i in provider.inventories.items()} == {"VCPU": 8, "MEMORY_MB": 1}


def test_a_claim_again_replaces_and_a_release_gives_back(database: Database) -> None:
    uuid, server = furnish(database, 8), ids.uuid()
    database.write(claim(uuid, 6, consumer=server))
    database.write(claim(uuid, 8, consumer=server))
    assert database.read(lambda tx: facade.held_by(tx, server)) == {uuid: {"VCPU": 8, "MEMORY_MB": 1}}
    assert database.write(lambda tx: facade.release(tx, server))
    assert not database.write(lambda tx: facade.release(tx, server))
    (provider,) = database.read(facade.providers_snapshot)
    assert provider.inventories["VCPU"].free == 8
    database.write(lambda tx: facade.claim_many(tx, [Wish(server, {uuid: {"VCPU": 1}})]))
    assert database.read(lambda tx: facade.held_by(tx, server)) == {uuid: {"VCPU": 1}}


def test_many_writers_at_once_never_get_more_than_there_is(database: Database) -> None:
    uuid = furnish(database, 10)

    def try_it(number: int) -> int:
        try:
            database.write(claim(uuid, 1 + number % 3))
        except Conflict:
            return 0
        return 1 + number % 3

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(try_it, range(40)))
    (provider,) = database.read(facade.providers_snapshot)
    assert taken == provider.inventories["VCPU"].used <= 10
    assert provider.inventories["VCPU"].free == 10 - taken
    assert taken >= 9
