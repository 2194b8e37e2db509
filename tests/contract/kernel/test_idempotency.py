"""A POST sent again with the same Idempotency-Key is answered again, not carried out again."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from pilvi.kernel import clock, idempotency
from pilvi.kernel.db import Database
from tests.contract.client import Client, Reply

KEY = {"Idempotency-Key": "8a5b1d0c-9f1c-4d1e-8d51-3c1f5e0a7b11"}


@pytest.fixture
def net(cloud: Client) -> Client:
    return cloud.at("/network/v2.0")


def post(net: Client, name: str = "once", headers: dict[str, str] | None = None) -> Reply:
    return net.request("POST", "/networks", {"network": {"name": name}}, headers=KEY if headers is None else headers)


def names(net: Client) -> list[str]:
    return sorted(network["name"] for network in net.get("/networks").body["networks"])


def test_the_second_answer_is_the_first_and_nothing_more_is_made(net: Client) -> None:
    first, second = post(net), post(net)
    assert (second.status, second.content) == (first.status, first.content) == (201, first.content)
    assert second.headers["x-openstack-request-id"] == first.headers["x-openstack-request-id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert "idempotency-replayed" not in first.headers
    assert names(net) == ["once"]


def test_a_storm_of_equal_requests_makes_one(net: Client) -> None:
    with ThreadPoolExecutor(25) as pool:
        replies = list(pool.map(lambda _: post(net), range(50)))
    assert {(reply.status, reply.content) for reply in replies} == {(201, replies[0].content)}
    assert names(net) == ["once"]


def test_a_key_belongs_to_one_request(net: Client) -> None:
    assert post(net).status == 201
    other = post(net, "another")
    assert other.status == 422
    assert "belongs to another request" in str(other.body)
    assert names(net) == ["once"]


def test_a_key_belongs_to_one_caller(net: Client) -> None:
    assert post(net).status == 201
    theirs = post(net.as_stranger())
    assert theirs.status == 201
    assert theirs.content != post(net).content
    assert names(net.as_stranger()) == ["once"]


def test_a_refused_request_is_tried_anew(net: Client) -> None:
    assert post(net.as_reader()).status == 403
    wrong = net.request("POST", "/networks", {"network": {"mtu": "much"}}, headers=KEY)
    assert wrong.status == 400
    assert post(net).status == 201


@pytest.mark.parametrize("key", ["short", "with space in it", "k" * 256, "ключ-ключ-ключ"])
def test_what_is_no_key_is_refused(net: Client, key: str) -> None:
    reply = post(net, headers={"Idempotency-Key": key})
    assert reply.status == 400
    assert "8 to 255 visible ASCII characters" in str(reply.body)
    assert names(net) == []


def test_without_a_key_every_request_counts(net: Client) -> None:
    assert [post(net, headers={}).status for _ in range(2)] == [201, 201]
    assert names(net) == ["once", "once"]


def test_other_methods_do_not_look_at_it(net: Client) -> None:
    assert [net.request("GET", "/networks", headers=KEY).status for _ in range(2)] == [200, 200]


def test_an_answer_with_a_secret_is_stored_sealed(cloud: Client) -> None:
    compute = cloud.at("/compute/v2.1")
    replies = [compute.request("POST", "/os-keypairs", {"keypair": {"name": "k"}}, headers=KEY) for _ in range(2)]
    assert replies[0].content == replies[1].content
    private = replies[0].body["keypair"]["private_key"].splitlines()[2]
    stored: list[Any] = cloud.database.read(lambda tx: tx.all(sa.select(idempotency.answers)))
    text = str([row._asdict() for row in stored])
    assert private not in text
    assert KEY["Idempotency-Key"] not in text


def test_answers_are_forgotten(net: Client, database: Database) -> None:
    assert post(net).status == 201
    later = clock.timestamp(clock.now() + 1)
    assert database.write(lambda tx: idempotency.drop_older(tx, later)) == 1
    assert post(net).status == 201
    assert names(net) == ["once", "once"]
