"""What can go wrong, said once. Raised where it is known, caught at the edge, dressed by the service's `faults.py`."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Fault(Exception):
    """An answer to the client: a status and a message that says what to do.

    `type` names the case where an API has names for cases (network's `type`, placement's `code`);
    `extra` adds members to the error body where an API has them.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"
    default_type: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        type: str = "",
        headers: Mapping[str, str] | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.type = type or self.default_type
        self.headers = dict(headers or {})
        self.extra = dict(extra or {})


class BadRequest(Fault):
    status, title = 400, "Bad Request"


class Unauthorized(Fault):
    status, title = 401, "Unauthorized"


class Forbidden(Fault):
    status, title = 403, "Forbidden"


class NotFound(Fault):
    status, title = 404, "Not Found"


class MethodNotAllowed(Fault):
    status, title = 405, "Method Not Allowed"


class NotAcceptable(Fault):
    status, title = 406, "Not Acceptable"


class Conflict(Fault):
    status, title = 409, "Conflict"


class Gone(Fault):
    status, title = 410, "Gone"


class PreconditionFailed(Fault):
    status, title = 412, "Precondition Failed"


class TooLarge(Fault):
    status, title = 413, "Request Entity Too Large"


class UnsupportedMediaType(Fault):
    status, title = 415, "Unsupported Media Type"


class RangeNotSatisfiable(Fault):
    status, title = 416, "Range Not Satisfiable"


class Unprocessable(Fault):
    status, title = 422, "Unprocessable Entity"


class NotImplementedHere(Fault):
    status, title = 501, "Not Implemented"


class Unavailable(Fault):
    status, title = 503, "Service Unavailable"


class NotYet(Exception):
    """A loop has nothing to do for this key until something else happens or `after_s` seconds have gone."""

    def __init__(self, after_s: float, waiting_for: str = "") -> None:
        super().__init__(waiting_for)
        self.after_s = after_s
        self.waiting_for = waiting_for
