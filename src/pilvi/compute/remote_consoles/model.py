"""A remote console: a token that opens one guest's screen once, for a short time."""

import hashlib
from dataclasses import dataclass

TOKEN_LIFETIME_S = 600.0


@dataclass(frozen=True, slots=True)
class ConsoleToken:
    token_hash: str
    server_id: str
    host: str
    kind: str
    user_id: str
    project_id: str
    expires_at: float
    used: bool


def hashed(token: str) -> str:
    """What is kept of a token: who reads the database cannot open a console."""
    return hashlib.sha256(token.encode()).hexdigest()
