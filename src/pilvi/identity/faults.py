"""How identity dresses errors: one object named `error`."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault

OAUTH2 = ("invalid_request", "invalid_client", "invalid_scope", "unsupported_grant_type")
"""Cases that RFC 6749 names; their clients expect its shape."""


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    if "receipt" in fault.extra:  # More authentication methods are needed: the receipt stands for those done so far.
        return dict(fault.extra)
    if fault.type in OAUTH2:
        return {"error": fault.type, "error_description": fault.message}
    error = {"code": fault.status, "message": fault.message, "title": fault.title}
    return {"error": error | fault.extra}
