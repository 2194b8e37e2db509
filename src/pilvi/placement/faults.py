"""How placement dresses errors: a list with one object, with a code from 1.23."""

from html import escape
from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import BadRequest, Fault, NotAcceptable
from pilvi.kernel.routing import Answer

CODES_SINCE = 23
UNDEFINED = "placement.undefined_code"
NO_ROUTE = "HTTPNotFound"


def plain(fault: Fault, ctx: Context) -> Answer | None:
    """A page, for people who look with a browser at an address or a version that is not there."""
    accepted = ctx.header("Accept") or ""
    if "text/html" not in accepted or "*/*" in accepted or "application/json" in accepted:
        return None
    if not (fault.type == NO_ROUTE or isinstance(fault, NotAcceptable)):
        return None
    detail = escape(_detail(fault, ctx))
    page = f"<html><head><title>{fault.status} {fault.title}</title></head><body><h1>{detail}</h1></body></html>"
    return Answer(fault.status, page.encode(), fault.headers, content_type="text/html; charset=UTF-8")


def _detail(fault: Fault, ctx: Context) -> str:
    asked = (ctx.header("OpenStack-API-Version") or "").rpartition(" ")[2]
    if isinstance(fault, NotAcceptable) and "max_version" in fault.extra:
        return f"Unacceptable version header: {asked}. {fault.message}"
    if isinstance(fault, BadRequest) and "is of invalid format" in fault.message:
        return f"invalid version string: {asked}. {fault.message}"
    return fault.message


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    versions = {k: v for k, v in fault.extra.items() if k in ("max_version", "min_version")}
    error = {"status": fault.status, "title": fault.title, "detail": _detail(fault, ctx), "request_id": ctx.request_id}
    if ctx.version >= CODES_SINCE:
        error["code"] = fault.type if fault.type.startswith("placement.") else UNDEFINED
    return {"errors": [error | versions]}
