"""Names of a network's ports: what to answer to a query. Pure; what is not ours is forwarded by the caller."""

import ipaddress
import struct
from dataclasses import dataclass

from pilvi.agent.responders.dhcp4 import encode_name
from pilvi.agent.responders.plan import NetworkPlan

PORT = 53
_A, _PTR, _AAAA, _ANY = 1, 12, 28, 255
_INTERNET = 1
_NO_ERROR, _FORMAT_ERROR, _SERVER_FAILURE, _NO_SUCH_NAME, _NOT_IMPLEMENTED, _REFUSED = 0, 1, 2, 3, 4, 5
_RESPONSE, _AUTHORITATIVE, _RECURSION_DESIRED, _RECURSION_AVAILABLE = 0x8000, 0x0400, 0x0100, 0x0080
_TTL_S = 30
_MOST_ADDRESSES = 20  # 20 addresses of 28 bytes and a name stay below what every client takes.
_NAME_OF_QUESTION = b"\xc0\x0c"


@dataclass(frozen=True, slots=True)
class Query:
    id: int
    flags: int
    name: str  # lower case, without the last dot
    kind: int
    question: bytes  # as it was asked, to be repeated in the answer


def parse(content: bytes) -> Query | None:
    """None for what is not a plain query with one question."""
    if len(content) < 17:
        return None
    id, flags, questions, answers, _, _ = struct.unpack_from("!6H", content)
    if flags & (_RESPONSE | 0x7800) or (questions, answers) != (1, 0):
        return None
    labels = []
    offset = 12
    while offset < len(content) and 0 < content[offset] < 64:
        labels.append(content[offset + 1 : offset + 1 + content[offset]])
        offset += 1 + content[offset]
    end = offset + 5
    if end > len(content) or content[offset] != 0 or end - 12 > 260:
        return None
    kind, class_ = struct.unpack_from("!HH", content, offset + 1)
    if class_ != _INTERNET:
        return None
    name = b".".join(labels).decode("ascii", "replace").lower()
    return Query(id, flags, name, kind, content[12:end])


def answer(query: Query, network: NetworkPlan) -> bytes | None:
    """None when the name is not one of this network: somebody else may know it."""
    address = _reverse_address(query.name)
    if address is not None:
        name = network.reverse.get(address)
        if name is None:
            return None
        records = [_record(_PTR, encode_name(name))] if query.kind in {_PTR, _ANY} else []
        return _response(query, _NO_ERROR, records)
    addresses = network.names.get(query.name)
    if addresses is None:
        inside = network.domain and (query.name == network.domain or query.name.endswith("." + network.domain))
        return _response(query, _NO_SUCH_NAME, []) if inside or "." not in query.name else None
    return _response(query, _NO_ERROR, [_address_record(one) for one in addresses if _is_asked(query, one)])


def refusal(query: Query) -> bytes:
    return _response(query, _REFUSED, [])


def failure(query: Query) -> bytes:
    return _response(query, _SERVER_FAILURE, [])


def _is_asked(query: Query, address: str) -> bool:
    return query.kind in {_AAAA if ":" in address else _A, _ANY}


def _address_record(address: str) -> bytes:
    return _record(_AAAA if ":" in address else _A, ipaddress.ip_address(address).packed)


def _record(kind: int, content: bytes) -> bytes:
    return _NAME_OF_QUESTION + struct.pack("!HHIH", kind, _INTERNET, _TTL_S, len(content)) + content


def _response(query: Query, code: int, records: list[bytes]) -> bytes:
    records = records[:_MOST_ADDRESSES]
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION_AVAILABLE | (query.flags & _RECURSION_DESIRED) | code
    return struct.pack("!6H", query.id, flags, 1, len(records), 0, 0) + query.question + b"".join(records)


def _reverse_address(name: str) -> str | None:
    try:
        if name.endswith(".in-addr.arpa"):
            return str(ipaddress.IPv4Address(".".join(reversed(name.removesuffix(".in-addr.arpa").split(".")))))
        if name.endswith(".ip6.arpa"):
            digits = "".join(reversed(name.removesuffix(".ip6.arpa").split(".")))
            return str(ipaddress.IPv6Address(bytes.fromhex(digits)))
    except ValueError:
        return None
    return None
