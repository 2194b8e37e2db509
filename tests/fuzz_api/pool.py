"""Names and ids that exist: what answers mentioned, by the word that paths use for its kind.

Schemathesis makes requests that are right by their form; with real ids among them they get past `404`, too.
"""

import re
from collections import defaultdict, deque
from random import Random
from typing import Any, Final
from urllib.parse import quote, unquote

KEPT: Final = 12
"""Of a kind; older ones are forgotten, because much of it has been deleted since."""
KEYS: Final = ("id", "uuid", "access", "namespace", "name")
"""What objects are called in paths; the first that there is."""
AN_ID: Final = re.compile(r"^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$")
KINDS: Final = {
    "password": "passwords", "target_id": "projects", "imageRef": "images", "flavorRef": "flavors",
    "default_project_id": "projects",
    "parent_id": "projects", "tenant_id": "projects", "trustor_user_id": "users", "trustee_user_id": "users",
    "parent_provider_uuid": "resource_providers", "resource_provider": "resource_providers", "owner": "projects",
    "member": "projects", "port": "ports", "key_name": "os_keypairs", "device_id": "servers",
    "consumer_uuid": "allocations", "parent_region_id": "regions", "object_id": "networks",
    "target_tenant": "projects", "remote_group_id": "security_groups",
    "external_network_id": "networks", "floating_network_id": "networks", "implied_id": "roles", "network": "networks",
}  # fmt: skip
"""Where the kind cannot be told from the name."""


class Pool:
    def __init__(self, random: Random) -> None:
        self.random = random
        self.own: dict[str, str] = {}
        """Whose turn it is: much may be done only to oneself."""
        self.known: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=KEPT))

    def add(self, kind: str, value: Any) -> None:
        kind = kind.replace("-", "_")
        if kind and isinstance(value, str) and value and value not in self.known[kind]:
            self.known[kind].append(value)

    def learn(self, path: str, body: Any) -> None:
        """Take the ids out of an answer to a request for this path."""
        kind = next((part for part in reversed(path.split("/")) if part and not part.startswith("{")), "")
        if isinstance(body, dict):
            for key, inner in body.items():
                self._learn_from(key if isinstance(inner, list) else kind, inner)
            self._learn_from(kind, body)

    def learn_made(self, template: str, path: str) -> None:
        """A PUT to a name of the client's choice may have made it."""
        *above, last = template.split("/")
        if above and last.startswith("{") and not above[-1].startswith("{"):
            self.add(above[-1], unquote(path.partition("?")[0].rpartition("/")[2]))

    def forget(self, template: str, path: str) -> None:
        """What was deleted is worth one more try at most."""
        *above, last = template.split("/")
        if above and last.startswith("{"):
            value = unquote(path.partition("?")[0].rpartition("/")[2])
            for known in self.known.values():
                if value in known:
                    known.remove(value)

    def _learn_from(self, kind: str, found: Any) -> None:
        entries = found if isinstance(found, list) else [found]
        for entry in entries[:20]:
            if isinstance(entry, dict):
                self.add(kind, next((entry[key] for key in KEYS if entry.get(key)), None))
            elif isinstance(entry, str):
                self.add(kind, entry)

    def some(self, kind: str) -> str | None:
        if kind in self.own and self.random.random() < 0.5:
            return self.own[kind]
        found = self.known.get(kind.replace("-", "_"))
        return self.random.choice(found) if found else None

    def last(self, kind: str) -> str | None:
        found = self.known.get(kind)
        return found[-1] if found else None

    # -- into a request --------------------------------------------------------------------------------------------

    def fill(self, template: str, parameters: dict[str, Any], share: float) -> str:
        """The path with its parameters, this share of them real."""
        parts = template.split("/")
        for i, part in enumerate(parts):
            if not part.startswith("{"):
                continue
            real = self.some(parts[i - 1]) or self.some(self._kind(part[1:-1]))
            use_real = real is not None and self.random.random() < share
            parts[i] = quote(str(real), safe="") if use_real else str(parameters.get(part[1:-1], "x"))
        return "/".join(parts)

    def _kind(self, name: str) -> str:
        if name in KINDS:
            return KINDS[name]
        if name.endswith("ies_id"):
            return name.removesuffix("_id")
        for suffix in ("_id", "_uuid"):
            if name.endswith(suffix):
                word = name.removesuffix(suffix)
                return word[:-1] + "ies" if word.endswith("y") else f"{word}s"
        return ""

    def mix(self, value: Any, name: str = "", above: str = "") -> Any:
        """The body with real ids where its names ask for them, most of the time."""
        if isinstance(value, dict):
            return {self._key(k, name): self.mix(v, k, name) for k, v in value.items()}
        if isinstance(value, list):
            return [self.mix(v, name, above) for v in value]
        if self.random.random() > 0.6:
            return value
        if isinstance(value, str):
            kind = above if name in ("id", "uuid") else self._kind(name)
            return self.some(kind) or self.some(f"{kind}s") or value
        if name.endswith("generation") and isinstance(value, int):
            return self.random.randrange(4)
        return value

    def _key(self, key: str, above: str) -> str:
        """Placement's documents are mappings by the ids of providers and by resource classes."""
        if self.random.random() > 0.7:
            return key
        if AN_ID.match(key):
            return self.some("resource_providers" if above != "" else "allocations") or key
        if above in ("resources", "inventories") and key.isupper():
            return self.some("inventories") or key
        return key
