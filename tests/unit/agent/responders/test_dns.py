import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.agent.responders import dns
from pilvi.agent.responders.dhcp4 import encode_name
from pilvi.agent.responders.plan import NetworkPlan

NETWORK = NetworkPlan(
    "n", "ns", "fa:16:3e:00:00:02",
    names={"web.cloud.example": ("10.0.0.11", "fd00::11"), "bare": ("10.0.0.12",)},
    reverse={"10.0.0.11": "web.cloud.example", "fd00::11": "web.cloud.example"},
    domain="cloud.example",
)  # fmt: skip


def asked(name: str, kind: int = 1) -> dns.Query:
    query = dns.parse(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + encode_name(name) + struct.pack("!HH", kind, 1))
    assert query is not None
    return query


def code_and_count(answer: bytes | None) -> tuple[int, int] | None:
    return None if answer is None else (answer[3] & 15, struct.unpack_from("!H", answer, 6)[0])


@pytest.mark.parametrize(
    ("name", "kind", "expected"),
    [
        ("web.cloud.example", 1, (0, 1)),
        ("WEB.Cloud.Example", 28, (0, 1)),
        ("web.cloud.example", 255, (0, 2)),
        ("web.cloud.example", 15, (0, 0)),
        ("bare", 1, (0, 1)),
        ("absent", 1, (3, 0)),
        ("absent.cloud.example", 1, (3, 0)),
        ("11.0.0.10.in-addr.arpa", 12, (0, 1)),
        ("12.0.0.10.in-addr.arpa", 12, None),
        (ipaddress.ip_address("fd00::11").reverse_pointer, 12, (0, 1)),
        ("www.example.org", 1, None),
        ("notcloud.example", 1, None),
    ],
)
def test_names_of_the_network_are_known_and_others_left_to_others(
    name: str, kind: int, expected: tuple[int, int] | None
) -> None:
    assert code_and_count(dns.answer(asked(name, kind), NETWORK)) == expected


def test_an_answer_repeats_the_question_as_it_was_written() -> None:
    answer = dns.answer(asked("WEB.cloud.example"), NETWORK)
    assert answer is not None
    assert answer[12:].startswith(encode_name("WEB.cloud.example"))
    assert answer.endswith(ipaddress.ip_address("10.0.0.11").packed)


def test_many_addresses_are_cut_to_what_fits() -> None:
    many = NetworkPlan("n", "ns", "", names={"many": tuple(f"fd00::{n:x}" for n in range(1, 200))})
    answer = dns.answer(asked("many", 28), many)
    assert answer is not None
    assert len(answer) < 1232


def test_refusals_and_failures_say_so() -> None:
    assert code_and_count(dns.refusal(asked("x.org"))) == (5, 0)
    assert code_and_count(dns.failure(asked("x.org"))) == (2, 0)


@given(st.binary(max_size=400))
def test_noise_breaks_nothing(noise: bytes) -> None:
    query = dns.parse(noise)
    if query is not None:
        dns.answer(query, NETWORK)


@given(st.binary(max_size=300))
def test_noise_for_a_name_breaks_nothing(noise: bytes) -> None:
    query = dns.parse(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + noise)
    if query is not None:
        answer = dns.answer(query, NETWORK)
        assert answer is None or answer[:2] == b"\0\7"
