"""How the image API dresses errors."""

from typing import Any

from pilvi.kernel.context import Context
from pilvi.kernel.errors import Fault


def dress(fault: Fault, ctx: Context) -> dict[str, Any]:
    return {"message": fault.message, "code": f"{fault.status} {fault.title}", "title": fault.title}
