from typing import Annotated

from pilvi.identity.wire import IdentityView, self_link
from pilvi.kernel.wire import Body, From
from pilvi.kernel.wire import Name as OnWire


class ConsumerCreate(Body, root="consumer", extra=True):
    description: str | None = None


class ConsumerUpdate(Body, root="consumer", extra=True):
    description: str | None = None


class ConsumerView(IdentityView, root="consumer", plural="consumers"):
    id: str
    description: Annotated[str | None, From(lambda c: c.description or None)]
    its_links: Annotated[dict[str, str], OnWire("links"), From(self_link("OS-OAUTH1/consumers"))]
