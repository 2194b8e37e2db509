from typing import Annotated, Any, Literal

from pilvi.identity.mappings.model import RULES
from pilvi.identity.wire import RepeatedId, self_link
from pilvi.kernel.wire import Body, From, Schema, View
from pilvi.kernel.wire import Name as OnWire

Rules = Annotated[list[Any], Schema(RULES)]
Version = Literal["1.0", "2.0"]


class MappingCreate(Body, root="mapping"):
    id: RepeatedId = None
    rules: Rules
    schema_version: Version = "1.0"


class MappingUpdate(Body, root="mapping"):
    id: RepeatedId = None
    rules: Rules = []
    schema_version: Version = "1.0"


class MappingView(View, root="mapping", plural="mappings"):
    id: str
    schema_version: str
    rules: list[Any]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("OS-FEDERATION/mappings"))]
