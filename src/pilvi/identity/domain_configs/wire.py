from typing import Annotated, Any

from pilvi.kernel.wire import Body, Schema


class ConfigBody(Body):
    config: Annotated[dict[str, Any], Schema({"type": "object", "maxProperties": 200})]
