"""What an operator says about rights: `policy/*.yaml` in the state directory, upstream's names and language.

A file maps the names of rules to texts. A name that is no rule of ours may be referred to by the other rules of its
file. Files are read again when they change; one that cannot be read leaves the rules as they were, and says so.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from pilvi.kernel.log import logger
from pilvi.kernel.policy import RULES
from pilvi.kernel.policy_language import Node, PolicyError, parse

LARGEST_BYTES: Final = 1024 * 1024
MOST_FILES: Final = 20
LOOK_EVERY_S: Final = 2.0
SUFFIXES: Final = (".yaml", ".yml", ".json")

_ADMIN: Final = ("context_is_admin", "admin_required", "admin_api", "admin_only", "cloud_admin")
BASE: Final[Mapping[str, str]] = {
    **dict.fromkeys(_ADMIN, "role:admin"),
    "default": "!",
    "service_role": "role:service",
    "service_api": "role:service",
    "service_or_admin": "role:admin or role:service",
    "admin_or_service_api": "role:admin or role:service",
    "admin_or_owner": "role:admin or project_id:%(project_id)s",
    "regular_user": "",
    "shared": "field:networks:shared=True",
    "external": "field:networks:router:external=True",
    "network_owner": "tenant_id:%(network:tenant_id)s",
    "admin_or_network_owner": "role:admin or tenant_id:%(network:tenant_id)s",
    "project_reader_api": "role:reader and project_id:%(project_id)s",
    "project_member_api": "role:member and project_id:%(project_id)s",
    "project_manager_api": "role:manager and project_id:%(project_id)s",
    "project_reader_or_admin": "role:admin or (role:reader and project_id:%(project_id)s)",
    "project_member_or_admin": "role:admin or (role:member and project_id:%(project_id)s)",
    "project_manager_or_admin": "role:admin or (role:manager and project_id:%(project_id)s)",
    "admin_required_or_owner": "role:admin or user_id:%(user_id)s",
    "token_subject": "user_id:%(target.token.user_id)s",
    "admin_or_token_subject": "role:admin or user_id:%(target.token.user_id)s",
}
"""Names that upstream's own policies are built of. A file may refer to them; `owner` differs between services."""

_OWNER: Final = {"identity": "user_id:%(user_id)s"}


@dataclass(slots=True)
class Overrides:
    rules: dict[str, Node] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def read(folder: Path, *, only_own: bool = False) -> Overrides:
    """Every file of the folder. Raises PolicyError with file and rule.

    `only_own`: a process that has some of the services only looks at the rules of these.
    """
    found = Overrides()
    paths = _paths(folder)
    if len(paths) > MOST_FILES:
        raise PolicyError(f"{folder} holds more than {MOST_FILES} files")
    said_in: dict[str, str] = {}
    for path in paths:
        for name, node in _read_file(path, found.warnings, only_own=only_own).items():
            if name in said_in:
                raise PolicyError(f"{name} stands in {said_in[name]} and in {path.name}: keep one of them")
            said_in[name] = path.name
            found.rules[name] = node
    return found


def _paths(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES) if folder.is_dir() else []


def _read_file(path: Path, warnings: list[str], *, only_own: bool) -> dict[str, Node]:
    texts = _mapping(path)
    whole = next((name for name in texts if name in _ADMIN), None)
    if whole is not None:
        raise PolicyError(
            f"{path.name}: {whole} cannot be changed as a whole. Let the role imply admin "
            "(openstack implied role create), or say for each rule who may"
        )
    names = _Names(texts, path.stem)
    rules: dict[str, Node] = {}
    used = " ".join(str(text) for text in texts.values())
    for name in texts:
        if only_own and name not in RULES:
            continue
        try:
            node = names.rule(name, 0)
        except PolicyError as error:
            raise PolicyError(f"{path.name}: {name}: {error}") from None
        if name in RULES:
            rules[name] = node
        elif f"rule:{name}" not in used:
            warnings.append(f"{path.name}: {name} is no rule of this cloud, and no other rule of the file names it")
    return rules


class _Names:
    """What a name means inside one file: the file's own rule, upstream's building block, or our default."""

    def __init__(self, texts: dict[str, Any], service: str) -> None:
        self._texts = texts
        self._owner = _OWNER.get(service, "project_id:%(project_id)s")

    def rule(self, name: str, depth: int) -> Node:
        text = self._texts.get(name, self._owner if name == "owner" else BASE.get(name))
        if text is not None or name in self._texts:
            return parse(text, self.rule, depth)
        if name in RULES:
            return RULES[name].default
        close = get_close_matches(name, [*self._texts, *RULES, *BASE], n=1)
        raise PolicyError(f"there is no rule {name!r}{f'; is it {close[0]!r}?' if close else ''}")


def _mapping(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise PolicyError(f"{path.name} is larger than {LARGEST_BYTES} bytes")
        read_text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise PolicyError(f"{path.name} cannot be read: {error}") from None
    try:
        texts = yaml.safe_load(read_text) or {}
    except (yaml.YAMLError, RecursionError) as error:
        raise PolicyError(f"{path.name} is not YAML: {error}") from None
    if not isinstance(texts, dict) or not all(isinstance(name, str) for name in texts):
        raise PolicyError(f"{path.name} must map names of rules to rules")
    return texts


def named(path: Path, name: str) -> Node:
    """A rule by its name, as this file has it, or upstream's building blocks, or we. Raises PolicyError."""
    return _Names(_mapping(path) if path.exists() else {}, path.stem).rule(name, 0)


def apply(overrides: Overrides) -> None:
    """From here on these hold, and the defaults for all other rules."""
    for name, rule in RULES.items():
        rule.override = overrides.rules.get(name)


class Watch(threading.Thread):
    """Applies the files of a folder, and again when they change."""

    def __init__(self, folder: Path, *, only_own: bool = False, every_s: float = LOOK_EVERY_S) -> None:
        super().__init__(name="policy", daemon=True)
        self._folder = folder
        self._only_own = only_own
        self._every_s = every_s
        self._seen = self._state()
        self._stop = threading.Event()
        apply(
            read(folder, only_own=only_own)
        )  # At the start a file that cannot be read stops the process: rights are not guessed.

    def _state(self) -> list[tuple[str, int, int]]:
        found = []
        for path in _paths(self._folder):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found.append((path.name, status.st_mtime_ns, status.st_size))
        return found

    def run(self) -> None:
        while not self._stop.wait(self._every_s):
            self.look()

    def look(self) -> None:
        try:
            state = self._state()
            if state == self._seen:
                return
            self._seen = state
            overrides = read(self._folder, only_own=self._only_own)
        except (PolicyError, OSError) as error:
            logger("policy").error("policy.refused", reason=str(error), remedy="Run ./pilvi policy check.")
            return
        apply(overrides)
        logger("policy").info("policy.applied", rules=sorted(overrides.rules), warnings=overrides.warnings)

    def stop(self) -> None:
        self._stop.set()
