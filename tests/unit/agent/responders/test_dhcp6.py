import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.agent.responders.dhcp6 import Kind, Message, answer, client_mac, parse
from pilvi.agent.responders.plan import Lease6

CLIENT = b"\0\3\0\1" + bytes.fromhex("fa163e00000b")
SERVER_MAC = "fa:16:3e:00:00:02"
SERVER = b"\0\3\0\1" + bytes.fromhex("fa163e000002")
LEASE = Lease6(("fd00::11",), ("fd00::2",), "cloud.example")
IA = struct.pack("!III", 7, 0, 0)


def message(kind: Kind, *options: tuple[int, bytes]) -> Message:
    content = bytes([kind]) + b"abc"
    for code, value in options:
        content += struct.pack("!HH", code, len(value)) + value
    parsed = parse(content)
    assert parsed is not None
    return parsed


def told(asked: Message, lease: Lease6 = LEASE) -> tuple[int, dict[int, bytes]]:
    content = answer(asked, lease, SERVER_MAC)
    assert content is not None
    assert content[1:4] == b"abc"
    options = {}
    rest = content[4:]
    while rest:
        code, length = struct.unpack_from("!HH", rest)
        options[code], rest = rest[4 : 4 + length], rest[4 + length :]
    return content[0], options


def test_a_solicitation_is_shown_the_address_and_a_request_given_it() -> None:
    kind, options = told(message(Kind.SOLICIT, (1, CLIENT), (3, IA)))
    assert (kind, options[1], options[2]) == (Kind.ADVERTISE, CLIENT, SERVER)
    kind, options = told(message(Kind.REQUEST, (1, CLIENT), (2, SERVER), (3, IA)))
    assert kind == Kind.REPLY
    assert options[3][:4] == struct.pack("!I", 7)
    assert options[3][16:32] == ipaddress.IPv6Address("fd00::11").packed
    assert options[23] == ipaddress.IPv6Address("fd00::2").packed
    assert options[24] == b"\5cloud\7example\0"


def test_a_hurried_client_is_served_at_once() -> None:
    kind, options = told(message(Kind.SOLICIT, (1, CLIENT), (3, IA), (14, b"")))
    assert kind == Kind.REPLY
    assert 14 in options


def test_a_stale_address_is_ended_by_a_renewal() -> None:
    stale = struct.pack("!HH", 5, 24) + ipaddress.IPv6Address("fd00::99").packed + struct.pack("!II", 9, 9)
    _, options = told(message(Kind.RENEW, (1, CLIENT), (2, SERVER), (3, IA + stale)))
    assert ipaddress.IPv6Address("fd00::99").packed + struct.pack("!II", 0, 0) in options[3]


def test_without_addresses_only_settings_are_given() -> None:
    stateless = Lease6((), ("fd00::2",), "")
    kind, options = told(message(Kind.INFORMATION_REQUEST), stateless)
    assert (kind, set(options)) == (Kind.REPLY, {2, 23})
    assert answer(message(Kind.SOLICIT, (1, CLIENT), (3, IA)), stateless, SERVER_MAC) is None


@pytest.mark.parametrize(
    "asked",
    [
        message(Kind.REQUEST, (1, CLIENT), (2, b"\0\3\0\1other!"), (3, IA)),
        message(Kind.REQUEST, (1, CLIENT), (3, IA)),
        message(Kind.SOLICIT, (3, IA)),
    ],
)
def test_what_is_not_for_us_is_not_answered(asked: Message) -> None:
    assert answer(asked, LEASE, SERVER_MAC) is None


def test_whether_addresses_are_still_right_can_be_asked() -> None:
    good, bad = (
        IA + struct.pack("!HH", 5, 24) + ipaddress.IPv6Address(ip).packed + bytes(8) for ip in ("fd00::11", "fd99::1")
    )
    assert told(message(Kind.CONFIRM, (1, CLIENT), (3, good)))[1][13] == b"\0\0"
    assert told(message(Kind.CONFIRM, (1, CLIENT), (3, bad)))[1][13] == b"\0\4"


def test_a_client_is_known_by_its_link_local_address_before_its_identifier() -> None:
    asked = message(Kind.SOLICIT, (1, CLIENT))
    assert client_mac(asked, "fe80::f816:3eff:fe00:c%svc") == "fa:16:3e:00:00:0c"
    assert client_mac(asked, "fe80::1") == "fa:16:3e:00:00:0b"
    assert client_mac(message(Kind.SOLICIT, (1, b"\0\4whatever")), "fe80::1") is None


@given(st.binary(max_size=300))
def test_noise_breaks_nothing(noise: bytes) -> None:
    parsed = parse(noise)
    if parsed is not None:
        client_mac(parsed, "fe80::1")
        answer(parsed, LEASE, SERVER_MAC)
