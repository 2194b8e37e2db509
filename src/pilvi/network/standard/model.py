"""What every resource of the network has: owner, description, times, revision, tags."""

from dataclasses import dataclass
from typing import Any

from pilvi.kernel import clock, ids
from pilvi.kernel.errors import BadRequest, Conflict, NotFound


@dataclass(slots=True, kw_only=True)
class Standard:
    id: str
    project_id: str
    name: str
    description: str
    created_at: str
    updated_at: str
    revision: int
    tags: str
    """Between newlines, such as "\\nred\\nblue\\n", so that SQL finds a whole tag."""


def fresh(project_id: str, *, name: str = "", description: str | None = "") -> dict[str, Any]:
    """The standard attributes of something new."""
    now = clock.timestamp()
    return {
        "id": ids.uuid(), "project_id": project_id, "name": name or "", "description": description or "",
        "created_at": now, "updated_at": now, "revision": 0, "tags": "",
    }  # fmt: skip


def tags_of(text: str) -> list[str]:
    return text.split("\n")[1:-1]


def tags_text(tags: list[str]) -> str:
    unique = sorted(set(tags))
    return "\n" + "\n".join(unique) + "\n" if unique else ""


# ---- faults with the names that clients know ---------------------------------------------------------------------


def missing(what: str, id: str) -> NotFound:
    """`what` as in the name of the fault, such as Network or SecurityGroup."""
    words = {"FloatingIP": "Floating IP", "SecurityGroup": "Security group", "SecurityGroupRule": "Security group rule"}
    return NotFound(f"{words.get(what, what)} {id} could not be found.", type=f"{what}NotFound")


def invalid(message: str) -> BadRequest:
    return BadRequest(f"Invalid input for operation: {message}", type="InvalidInput")


def conflict(type: str, message: str) -> Conflict:
    return Conflict(message, type=type)
