"""Why not: what the scheduler would say of a server that nobody has asked for yet."""

from collections.abc import Sequence

from pilvi.compute import facade as compute
from pilvi.kernel import past
from pilvi.kernel.context import internal
from pilvi.kernel.db import Tx
from pilvi.kernel.errors import Fault
from pilvi.ops.explain.story import Story, cause


def why_not(
    tx: Tx, *, flavor: str, image: str, network: str | None = None, host: str | None = None, project: str | None = None
) -> Story:
    """Names or ids; with a project its quota counts too. Makes nothing."""
    story = Story("server", f"{flavor} of {image}", "", "possible")
    ctx = internal("why-not", project_id=project)
    try:
        trial = compute.trial(
            ctx, tx, flavor_id=_id(tx, "flavor", flavor), image_id=_id(tx, "image", image),
            network_id=None if network is None else _id(tx, "network", network), host=host,
        )  # fmt: skip
    except Fault as fault:
        story.state = "impossible"
        story.causes = [cause(fault.message)]
        return story
    story.fields = {"hosts": list(trial.hosts), "refused": trial.refused}
    if trial.hosts:
        story.state = f"possible on {', '.join(trial.hosts[:5])}"
        return story
    story.state = "impossible"
    story.causes = [cause(f"{name}: {reason}.") for name, reason in _wanted(trial.refused, host)]
    if not story.causes:
        story.causes = [cause("No valid host was found. This cloud has no host yet; start an agent on one.")]
    return story


def _wanted(refused: dict[str, str], host: str | None) -> Sequence[tuple[str, str]]:
    """Of the host asked for, if one was; others are beside the point then."""
    found = sorted(refused.items())
    return [pair for pair in found if host is None or pair[0] == host]


def _id(tx: Tx, kind: str, name: str) -> str:
    """The id of what is meant; what is unknown stays as it is, and is refused by its own name."""
    return next((id for known, id in past.named(tx, name) if known == kind), name)
