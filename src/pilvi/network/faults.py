"""How the network API dresses errors: a type that clients turn into an exception class, a message, a detail."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault

TYPES = {
    400: "HTTPBadRequest", 403: "PolicyNotAuthorized", 404: "HTTPNotFound", 405: "HTTPMethodNotAllowed",
    409: "Conflict", 412: "HTTPPreconditionFailed", 413: "HTTPRequestEntityTooLarge",
    415: "HTTPUnsupportedMediaType", 501: "NotImplemented", 503: "HTTPServiceUnavailable",
}  # fmt: skip


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    kind = fault.type or TYPES.get(fault.status, "HTTPInternalServerError")
    return {"NeutronError": {"type": kind, "message": fault.message, "detail": str(fault.extra.get("detail", ""))}}
