"""What clients send and see of keypairs, each field with the microversion that brought it."""

from typing import Annotated, Any, ClassVar, Literal

from pilvi.compute.keypairs.model import Keypair
from pilvi.kernel.wire import OMIT, Body, From, Length, Name, Pattern, Since, Sometimes, View

NAME = r"^[A-Za-z0-9_ .@-]+$"
OLD_NAME = r"^[A-Za-z0-9_ -]+$"


class KeypairCreate(Body, root="keypair"):
    name: Annotated[str, Length(1, 255), Pattern(OLD_NAME)]
    public_key: Annotated[str | None, Length(1, 65535)] = None
    type: Annotated[Literal["ssh", "x509"], Since("2.2")] = "ssh"
    user_id: Annotated[str | None, Since("2.10")] = None


class KeypairInList(View, root="keypair"):
    name: str
    public_key: str
    fingerprint: str
    type: Annotated[str, Since("2.2")]


def _wrapped(keypair: Keypair, ctx: Any) -> dict[str, Any]:
    return KeypairInList.renderer(ctx)(keypair, ctx)


class KeypairList(View, plural="keypairs", links="keypairs_links"):
    """Each entry is wrapped in an object of its own, as this API has always done."""

    marker: ClassVar[str] = "name"
    keypair: Annotated[dict[str, Any], From(_wrapped)]


class KeypairCreated(View, root="keypair"):
    name: Annotated[str, From(lambda g: g.keypair.name)]
    public_key: Annotated[str, From(lambda g: g.keypair.public_key)]
    fingerprint: Annotated[str, From(lambda g: g.keypair.fingerprint)]
    user_id: Annotated[str, From(lambda g: g.keypair.user_id)]
    type: Annotated[str, From(lambda g: g.keypair.type), Since("2.2")]
    private_key: Annotated[str, Sometimes(), From(lambda g: OMIT if g.private_key is None else g.private_key)]


class KeypairView(View, root="keypair"):
    name: str
    public_key: str
    fingerprint: str
    user_id: str
    created_at: Annotated[str, From(lambda k: k.created_at.removesuffix("Z"))]
    updated_at: Annotated[None, From(lambda k: None)]
    deleted_at: Annotated[None, From(lambda k: None)]
    deleted: Annotated[bool, From(lambda k: False)]
    number: Annotated[int, Name("id"), From(lambda k: int(k.id[:7], 16))]
    type: Annotated[str, Since("2.2")]
