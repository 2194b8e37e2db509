"""How placement dresses errors: a list with one object, with a code from 1.23."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest, Fault, NotAcceptable

CODES_SINCE = 23
UNDEFINED = "placement.undefined_code"


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    detail = fault.message
    versions = {k: v for k, v in fault.extra.items() if k in ("max_version", "min_version")}
    if isinstance(fault, NotAcceptable) and versions:
        asked = (ctx.header("OpenStack-API-Version") or "").rpartition(" ")[2]
        detail = f"Unacceptable version header: {asked}. {detail}"
    elif "invalid format" in detail and isinstance(fault, BadRequest):
        asked = (ctx.header("OpenStack-API-Version") or "").rpartition(" ")[2]
        detail = f"invalid version string: {asked}. {detail}"
    error = {"status": fault.status, "title": fault.title, "detail": detail, "request_id": ctx.request_id}
    if ctx.version >= CODES_SINCE:
        error["code"] = fault.type if fault.type.startswith("placement.") else UNDEFINED
    return {"errors": [error | versions]}
