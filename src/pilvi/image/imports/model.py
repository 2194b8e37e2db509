"""What an import is asked to do, and from where it may fetch. Pure."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from urllib.parse import SplitResult, urlsplit

from pilvi.image.stores.model import Stores
from pilvi.kernel.errors import BadRequest
from pilvi.kernel.ids import is_uuid

DIRECT: Final = "glance-direct"
WEB: Final = "web-download"
COPY: Final = "copy-image"
GLANCE: Final = "glance-download"
PORTS: Final = {"http": 80, "https": 443}
LONGEST_URI: Final = 2048


@dataclass(frozen=True, slots=True)
class ImportRules:
    """How this cloud imports."""

    stores: Stores
    region: str
    allowed_hosts: frozenset[str]
    """`name` or `name:port` that may be fetched from although they are not on the public internet."""
    largest_bytes: int

    methods: ClassVar = (DIRECT, WEB, COPY, GLANCE)


@dataclass(frozen=True, slots=True)
class ImportRequest:
    method: str
    arguments: Mapping[str, Any]
    store_ids: list[str]
    must_all_succeed: bool
    document: dict[str, Any]
    """As the client sent it, for the task."""


def parse(document: Any, rules: ImportRules) -> ImportRequest:
    """An import's body. Raises BadRequest with what is wrong."""
    method = document.get("method") if isinstance(document, dict) else None
    if not isinstance(method, dict) or not isinstance(method.get("name"), str):
        raise BadRequest("Expected 'method' with a 'name' in the request body.")
    name = method["name"]
    if name not in rules.methods:
        raise BadRequest(f"Unknown import method name '{name[:80]}': this cloud has {', '.join(rules.methods)}.")
    if name == WEB:
        check_uri(method.get("uri"), rules.allowed_hosts)
    if name == GLANCE:
        _check_glance(method)
    return ImportRequest(
        name, method, _stores(document, rules), _flag(document, "all_stores_must_succeed", True), document
    )


def _flag(document: Mapping[str, Any], name: str, default: bool) -> bool:
    value = document.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"'{name}' must be boolean value only")
    return value


def _stores(document: Mapping[str, Any], rules: ImportRules) -> list[str]:
    given = document.get("stores") or []
    if not isinstance(given, list) or not all(isinstance(id, str) for id in given):
        raise BadRequest("'stores' must be a list of stores' names.")
    if _flag(document, "all_stores", False):
        if given:
            raise BadRequest("'stores' parameter is not valid together with all_stores.")
        return rules.stores.ids
    return [rules.stores.get(id).id for id in dict.fromkeys(given)] or [rules.stores.default.id]


def _check_glance(method: Mapping[str, Any]) -> None:
    if not is_uuid(str(method.get("glance_image_id", ""))):
        raise BadRequest("Expected 'glance_image_id': image id does not look like a UUID")
    if not isinstance(method.get("glance_region"), str) or not method["glance_region"]:
        raise BadRequest("Expected 'glance_region' in the method.")
    if method.get("glance_service_interface", "public") is None:
        raise BadRequest("'glance_service_interface' must be a name.")


def check_uri(uri: Any, allowed_hosts: frozenset[str]) -> SplitResult:
    """What can be said of an address without asking any name server. Raises BadRequest."""
    if not isinstance(uri, str) or not uri:
        raise BadRequest("'uri' is required for this import method.")
    refused = BadRequest(f"URI for web-download does not pass filtering: {uri[:200]}")
    if len(uri) > LONGEST_URI or not uri.isascii() or any(c.isspace() or not c.isprintable() for c in uri):
        raise refused
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise refused from None
    if parts.scheme not in PORTS or not host or parts.username is not None or parts.password is not None:
        raise refused
    if is_listed(host, port or PORTS[parts.scheme], allowed_hosts):
        return parts
    if port not in (None, *PORTS.values()) or host == "localhost" or _is_number(host):
        raise refused
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return parts
    if not is_public(address):
        raise refused
    return parts


def _is_number(host: str) -> bool:
    """`2130706433` and `0x7f.1` are addresses to some resolvers."""
    last = host.rstrip(".").rpartition(".")[2]
    if last.startswith("0x"):
        return True
    return last.isdigit() and not _is_address(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_listed(host: str, port: int, allowed_hosts: frozenset[str]) -> bool:
    return host in allowed_hosts or f"{host}:{port}" in allowed_hosts


def is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """On the open internet, in whatever dress: mapped and tunnelled addresses are judged by what is inside."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None:
            return is_public(inner)
        if address in ipaddress.ip_network("64:ff9b::/96"):
            return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return address.is_global and not address.is_multicast and not address.is_reserved
