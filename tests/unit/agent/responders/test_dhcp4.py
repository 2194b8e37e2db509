import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.agent.responders.dhcp4 import Kind, Packet, answer, encode_option, parse
from pilvi.agent.responders.plan import Lease
from pilvi.network.drivers.protocol import DhcpOption, HostRoute

MAC = "fa:16:3e:00:00:0b"
LEASE = Lease(
    ip="10.0.0.11", cidr="10.0.0.0/24", server_ip="10.0.0.2", hostname="web-1", domain="cloud.example", mtu=1450,
    gateway_ip="10.0.0.1", nameservers=("10.0.0.2",), routes=(HostRoute("169.254.169.254/32", "10.0.0.2"),),
)  # fmt: skip


def asked(kind: Kind, *, client_ip: str = "0.0.0.0", relay_ip: str = "0.0.0.0", **options: bytes) -> Packet:
    numbered = {int(name[1:]): value for name, value in options.items()}
    content = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s4s", 1, 1, 6, 0, 0xABCD, 0, 0x8000, bytes(map(int, client_ip.split("."))), bytes(4),
        bytes(4), bytes(map(int, relay_ip.split("."))), bytes.fromhex(MAC.replace(":", "")), b"", b"",
        b"\x63\x82\x53\x63",
    )  # fmt: skip
    for code, value in {53: bytes([kind]), **numbered}.items():
        content += bytes([code, len(value)]) + value
    packet = parse(content + b"\xff")
    assert packet is not None
    return packet


def told(packet: Packet, lease: Lease = LEASE) -> dict[int, bytes]:
    given_answer = answer(packet, lease)
    assert given_answer is not None
    assert given_answer.content[4:8] == struct.pack("!I", 0xABCD)
    assert len(given_answer.content) >= 300
    options: dict[int, bytes] = {-1: given_answer.content[16:20]}
    rest = given_answer.content[240:]
    while rest[0] != 255:
        options[rest[0]] = options.get(rest[0], b"") + rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]
    return options


def test_a_discovery_is_offered_everything_a_guest_needs() -> None:
    options = told(asked(Kind.DISCOVER))
    assert options[-1] == bytes([10, 0, 0, 11])
    assert options[53] == bytes([Kind.OFFER])
    assert options[54] == bytes([10, 0, 0, 2])
    assert options[1] == bytes([255, 255, 255, 0])
    assert options[3] == bytes([10, 0, 0, 1])
    assert options[26] == struct.pack("!H", 1450)
    assert (options[12], options[15]) == (b"web-1", b"cloud.example")
    assert options[121] == bytes([32, 169, 254, 169, 254, 10, 0, 0, 2, 0, 10, 0, 0, 1])


def test_the_right_wish_is_granted_and_a_wrong_one_refused() -> None:
    assert told(asked(Kind.REQUEST, o50=bytes([10, 0, 0, 11])))[53] == bytes([Kind.ACK])
    refused = told(asked(Kind.REQUEST, o50=bytes([10, 0, 0, 99])))
    assert (refused[53], refused[-1]) == (bytes([Kind.NAK]), bytes(4))
    assert 3 not in refused


def test_a_renewal_is_answered_to_the_address_itself() -> None:
    renewal = answer(asked(Kind.REQUEST, client_ip="10.0.0.11"), LEASE)
    assert renewal is not None
    assert (renewal.to_ip, renewal.from_ip) == ("10.0.0.11", "10.0.0.2")
    offer = answer(asked(Kind.DISCOVER), LEASE)
    assert offer is not None
    assert offer.to_ip == "255.255.255.255"


@pytest.mark.parametrize(
    "packet",
    [
        asked(Kind.REQUEST, o54=bytes([10, 0, 0, 66]), o50=bytes([10, 0, 0, 11])),
        asked(Kind.DISCOVER, relay_ip="10.9.9.9"),
        asked(Kind.RELEASE),
        asked(Kind.DECLINE),
        asked(Kind.OFFER),
    ],
)
def test_what_is_not_for_us_is_not_answered(packet: Packet) -> None:
    assert answer(packet, LEASE) is None


def test_a_question_for_settings_gives_no_lease() -> None:
    options = told(asked(Kind.INFORM, client_ip="10.0.0.11"))
    assert options[-1] == bytes(4)
    assert 51 not in options
    assert options[3] == bytes([10, 0, 0, 1])


def test_extra_options_replace_and_add() -> None:
    extras = (
        DhcpOption("mtu", "1400"), DhcpOption("42", "10.9.9.9,10.9.9.8"), DhcpOption("bootfile-name", "boot.img"),
        DhcpOption("tftp-server", "10.9.9.7"), DhcpOption("no-such-name", "x"), DhcpOption("router", "not an address"),
        DhcpOption("54", "10.6.6.6"),
    )  # fmt: skip
    lease = replace(LEASE, options=extras)
    options = told(asked(Kind.DISCOVER), lease)
    assert options[26] == struct.pack("!H", 1400)
    assert options[42] == bytes([10, 9, 9, 9, 10, 9, 9, 8])
    assert options[67] == b"boot.img"
    assert options[3] == bytes([10, 0, 0, 1])
    assert options[54] == bytes([10, 0, 0, 2])
    booted = answer(asked(Kind.DISCOVER), lease)
    assert booted is not None
    assert booted.content[20:24] == bytes([10, 9, 9, 7])
    assert booted.content[108:116] == b"boot.img"


def test_too_much_to_say_is_cut_at_what_the_client_takes() -> None:
    lease = replace(LEASE, options=tuple(DhcpOption(str(code), "x" * 200) for code in range(150, 170)))
    small = answer(asked(Kind.DISCOVER), lease)
    large = answer(asked(Kind.DISCOVER, o57=struct.pack("!H", 1400)), lease)
    assert small is not None
    assert large is not None
    assert len(small.content) <= 548 < len(large.content) <= 1400 - 28


def test_a_long_option_is_written_in_pieces() -> None:
    routes = tuple(HostRoute(f"10.{n}.1.0/24", "10.0.0.9") for n in range(40))
    options = told(asked(Kind.DISCOVER, o57=struct.pack("!H", 1400)), replace(LEASE, routes=routes))
    assert len(options[121]) == 40 * 8 + 5


@given(st.binary(max_size=600))
def test_noise_is_not_a_request(noise: bytes) -> None:
    assert parse(noise) is None


@given(st.binary(max_size=200))
def test_noise_for_options_breaks_nothing(noise: bytes) -> None:
    content = struct.pack("!BBBB", 1, 1, 6, 0) + bytes(232) + b"\x63\x82\x53\x63" + b"\x35\x01\x01" + noise
    packet = parse(content)
    if packet is not None:
        answer(packet, LEASE)


@given(st.text(max_size=20), st.text(max_size=40))
def test_any_extra_option_is_encoded_or_skipped(name: str, value: str) -> None:
    encoded = encode_option(DhcpOption(name, value))
    assert encoded is None or 0 < encoded[0] < 255
