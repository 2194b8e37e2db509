"""How the compute API dresses errors: one object named after the kind of fault."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault

NAMES = {
    400: "badRequest", 401: "unauthorized", 403: "forbidden", 404: "itemNotFound", 405: "badMethod",
    409: "conflictingRequest", 413: "overLimit", 415: "badMediaType", 429: "overLimit", 501: "notImplemented",
    503: "serviceUnavailable",
}  # fmt: skip


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    body: dict[str, Any] = {"code": fault.status, "message": fault.message}
    if fault.status == 413:
        body["retryAfter"] = fault.headers.get("Retry-After", "0")
    if fault.status == 406:
        body |= fault.extra
    return {NAMES.get(fault.status, "computeFault"): body}
