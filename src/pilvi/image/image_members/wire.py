"""Shapes of members. Bodies may say more, as the SDK's do, which counts for nothing."""

from typing import Annotated, Literal

from pilvi.image.image_members.model import Member
from pilvi.kernel import clock
from pilvi.kernel.wire import Body, From, Length, Name, Pattern, View


class MemberCreate(Body, extra=True):
    member: Annotated[str, Length(1, 255), Pattern(r"^[^\u0000]*$")]


class MemberUpdate(Body, extra=True):
    status: Literal["pending", "accepted", "rejected"]


def _created(member: Member) -> str:
    return clock.seconds(member.created_at)


def _updated(member: Member) -> str:
    return clock.seconds(member.updated_at)


def _schema(member: Member) -> str:
    return "/v2/schemas/member"


class MemberView(View, plural="members"):
    member_id: str
    image_id: str
    status: str
    created_at: Annotated[str, From(_created)]
    updated_at: Annotated[str, From(_updated)]
    schema_path: Annotated[str, Name("schema"), From(_schema)]
