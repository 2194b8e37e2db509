"""How identity dresses errors: one object named `error`."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    if "receipt" in fault.extra:  # More authentication methods are needed: the receipt stands for those done so far.
        return dict(fault.extra)
    error = {"code": fault.status, "message": fault.message, "title": fault.title}
    return {"error": error | fault.extra}
