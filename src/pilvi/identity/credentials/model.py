from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

EC2 = "ec2"
TOTP = "totp"
CERTIFICATE = "cert"


@dataclass(frozen=True, slots=True)
class Credential:
    id: str
    type: str
    user_id: str
    project_id: str | None
    encrypted_blob: str
    extra: dict[str, Any] = field(default_factory=dict)


def ec2_id(access: str) -> str:
    """The id under which an access key is kept, so that one key is there once."""
    return sha256(access.encode()).hexdigest()
