"""What guests ask at 169.254.169.254, answered from the desired state: it works without the control plane."""

import base64
import binascii
import threading
from collections.abc import Mapping
from typing import Any, Final

import orjson

TEXT: Final = "text/plain; charset=utf-8"
JSON: Final = "application/json"
Answer = tuple[int, str, bytes]
NOT_FOUND: Final[Answer] = (404, TEXT, b"Not found\n")


class GuestMetadata:
    """Knows which guest asks by the network that the question came in by and its source address."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._guests: dict[tuple[str, str], dict[str, str]] = {}

    def apply(self, servers: list[dict[str, Any]], network: Mapping[str, Any]) -> None:
        """Take in a desired state."""
        files = {s["id"]: s["metadata"]["files"] for s in servers if s.get("power") != "absent" and s.get("metadata")}
        guests = {}
        for port in network.get("ports") or []:
            found = files.get(port.get("server_id") or port.get("device_id"))
            if found is not None:
                for fixed in port.get("fixed_ips") or []:
                    guests[port["network_id"], fixed["ip"]] = found
        with self._lock:
            self._guests = guests

    def answer(self, network_id: str, source_ip: str, path: str, headers: Mapping[str, str]) -> Answer:
        with self._lock:
            files = self._guests.get((network_id, source_ip))
        if files is None:
            return 404, TEXT, b"This address belongs to no server of this network.\n"
        words = [word for word in path.partition("?")[0].split("/") if word]
        try:
            return _openstack(files, words[1:]) if words[:1] == ["openstack"] else _ec2(files, words)
        except (binascii.Error, orjson.JSONDecodeError):
            return 500, TEXT, b"The metadata of this server cannot be read.\n"


def _openstack(files: dict[str, str], words: list[str]) -> Answer:
    """The tree of files under `openstack/`; a folder is answered with the list of what is in it."""
    path = "/".join(["openstack", *words])
    content = files.get(path)
    if content is not None:
        return 200, JSON if path.endswith(".json") else "application/octet-stream", base64.b64decode(content)
    below = [name.removeprefix(path + "/").partition("/")[0] for name in files if name.startswith(path + "/")]
    return (200, TEXT, "\n".join(dict.fromkeys(below)).encode()) if below else NOT_FOUND


EC2_VERSIONS: Final = (
    "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01",
    "2009-04-04",
)  # fmt: skip


def _ec2(files: dict[str, str], words: list[str]) -> Answer:
    if not words:
        return 200, TEXT, "\n".join([*EC2_VERSIONS, "latest"]).encode()
    if words[0] not in (*EC2_VERSIONS, "latest"):
        return NOT_FOUND
    user_data = files.get("ec2/latest/user-data")
    if len(words) == 1:
        return 200, TEXT, b"meta-data/" + (b"\nuser-data" if user_data is not None else b"")
    if words[1] == "user-data" and len(words) == 2:
        return NOT_FOUND if user_data is None else (200, "application/octet-stream", base64.b64decode(user_data))
    if words[1] != "meta-data":
        return NOT_FOUND
    return _walk(orjson.loads(base64.b64decode(files["ec2/latest/meta-data.json"])), words[2:])


def _walk(tree: Any, words: list[str]) -> Answer:
    """Nested objects are folders, lists are lines."""
    for word in words:
        if not isinstance(tree, dict) or word not in tree or word.startswith("_"):
            return NOT_FOUND
        tree = tree[word]
    if isinstance(tree, dict):
        names = [_entry(name, value) for name, value in tree.items() if not name.startswith("_")]
        return 200, TEXT, "\n".join(sorted(names)).encode()
    if isinstance(tree, list):
        return 200, TEXT, "\n".join(map(str, tree)).encode()
    return 200, TEXT, str(tree).encode()


def _entry(name: str, value: Any) -> str:
    if not isinstance(value, dict):
        return name
    return f"{name}={value['_name']}" if "_name" in value else name + "/"
