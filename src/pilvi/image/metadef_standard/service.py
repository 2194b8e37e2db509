"""Puts the standard namespaces into a cloud that lacks them. What is there is left alone: it may have been changed."""

from pilvi.image.metadef_entries import service as entries
from pilvi.image.metadef_namespaces import service as namespaces
from pilvi.image.metadef_resource_types import service as resource_types
from pilvi.image.metadef_standard.model import STANDARD
from pilvi.kernel import ids
from pilvi.kernel.context import internal
from pilvi.kernel.db import Tx

OWNER = "admin"
"""As upstream's loader has it; only administrators change them, whatever their project."""


def ensure(tx: Tx) -> list[str]:
    """May be run again. The names of the namespaces that were made."""
    ctx = internal(ids.request_id(), project_id=OWNER)
    made = []
    for wanted in STANDARD:
        if namespaces.exists(tx, wanted.namespace):
            continue
        namespace = namespaces.create(
            ctx, tx,
            {"namespace": wanted.namespace, "display_name": wanted.display_name, "description": wanted.description,
             "visibility": "public", "protected": True, "owner": OWNER},
        )  # fmt: skip
        for type in wanted.resource_types:
            resource_types.add(tx, namespace, type, None, None)
        for name, definition in wanted.properties.items():
            entries.add(tx, namespace, "property", name, dict(definition))
        for tag in wanted.tags:
            entries.add(tx, namespace, "tag", tag, {})
        made.append(wanted.namespace)
    return made
