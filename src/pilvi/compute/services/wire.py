"""What operators send and see of compute services."""

from typing import Annotated, Any, Literal

from pilvi.kernel.wire import OMIT, Body, From, Length, Lenient, Name, Since, Sometimes, Until, View


class ServiceUpdate(Body):
    status: Literal["enabled", "disabled"] | None = None
    disabled_reason: Annotated[str | None, Length(1, 255)] = None
    forced_down: Annotated[bool | None, Lenient()] = None


class OldServiceUpdate(Body):
    """Until 2.52: the host and binary stand in the body."""

    host: Annotated[str, Length(1, 255)]
    binary: Annotated[str, Length(1, 255)]
    disabled_reason: Annotated[str | None, Length(1, 255)] = None
    forced_down: Annotated[bool | None, Lenient(), Since("2.11")] = None


class ServiceView(View, root="service", plural="services"):
    number: Annotated[int, Name("id"), Until("2.52")]
    id: Annotated[str, Since("2.53")]
    binary: str
    host: str
    zone: str
    status: str
    state: str
    updated_at: Annotated[str, From(lambda s: s.updated_at.removesuffix("Z"))]
    disabled_reason: str | None
    forced_down: Annotated[bool, Since("2.11")]


class OldServiceView(View, root="service"):
    binary: str
    host: str
    status: Annotated[Any, Sometimes(), From(lambda s: s.status)]
    disabled_reason: Annotated[
        Any, Sometimes(), From(lambda s: OMIT if s.disabled_reason is None else s.disabled_reason)
    ]
    forced_down: Annotated[bool, Since("2.11")]
