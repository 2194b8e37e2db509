import ipaddress
import struct
from dataclasses import replace

from pilvi.agent.responders.advertisement import encode
from pilvi.agent.responders.plan import Advertisement, Prefix

ONE = Advertisement(
    namespace="ns", link="svc", mac="fa:16:3e:00:00:01", mtu=1450,
    prefixes=(Prefix("fd00:1::/64", is_autonomous=True),),
    is_managed=False, has_other=True, lifetime_s=1800, nameservers=("fd00:1::2", "10.0.0.2"), domain="cloud.example",
)  # fmt: skip


def options(message: bytes) -> dict[int, bytes]:
    found, rest = {}, message[16:]
    while rest:
        length = rest[1] * 8
        assert length
        found[rest[0]], rest = rest[:length], rest[length:]
    return found


def test_everything_is_told_in_options_of_eight_bytes() -> None:
    message = encode(ONE)
    assert (message[0], message[5], struct.unpack_from("!H", message, 6)[0]) == (134, 0x40, 1800)
    told = options(message)
    assert told[1][2:] == bytes.fromhex("fa163e000001")
    assert told[5][4:] == struct.pack("!I", 1450)
    assert (told[3][2], told[3][3]) == (64, 0xC0)
    assert told[3][16:] == ipaddress.IPv6Address("fd00:1::").packed
    assert told[25][8:] == ipaddress.IPv6Address("fd00:1::2").packed
    assert told[31][8:].rstrip(b"\0") == b"\5cloud\7example"


def test_a_managed_prefix_is_not_for_the_guest_to_choose_from() -> None:
    managed = replace(ONE, is_managed=True, has_other=False, prefixes=(Prefix("fd00::/64", is_autonomous=False),))
    message = encode(managed)
    assert message[5] == 0x80
    assert options(message)[3][3] == 0x80
