"""Tags on the wire."""

from typing import Annotated

from pilvi.kernel.wire import Body, Items


class TagList(Body):
    tags: Annotated[list[str], Items(200)]
