"""The catalog that a token sees."""

from typing import Any

from pilvi.identity.endpoint_groups import service as endpoint_groups
from pilvi.identity.endpoints import service as endpoints
from pilvi.identity.endpoints.model import Endpoint, filled_in
from pilvi.identity.epochs import service as epochs
from pilvi.identity.services import service as services
from pilvi.kernel.db import Tx


def of(tx: Tx, *, user_id: str, project_id: str | None) -> list[dict[str, Any]]:
    """Enabled services with their enabled endpoints, filtered for the project where it has filters."""
    names = {"user_id": user_id, "project_id": project_id or "", "tenant_id": project_id or ""}
    seen = endpoint_groups.visible(tx, project_id) if project_id else None
    found = []
    for service, its_endpoints in _enabled(tx):
        shown = []
        for endpoint in its_endpoints:
            url = filled_in(endpoint.url, names)
            if url is not None and (seen is None or endpoint.id in seen):
                shown.append(_shown(endpoint, url))
        found.append({"endpoints": shown, "id": service.id, "type": service.type, "name": service.name})
    return found


def _enabled(tx: Tx) -> list[tuple[Any, list[Endpoint]]]:
    def build() -> list[tuple[Any, list[Endpoint]]]:
        by_service: dict[str, list[Endpoint]] = {}
        for endpoint in endpoints.everything(tx):
            if endpoint.enabled:
                by_service.setdefault(endpoint.service_id, []).append(endpoint)
        return [(s, by_service.get(s.id, [])) for s in services.everything(tx) if s.enabled]

    return epochs.cached(tx, "catalog", build)


def _shown(endpoint: Endpoint, url: str) -> dict[str, Any]:
    return {
        "id": endpoint.id, "interface": endpoint.interface, "region_id": endpoint.region_id,
        "url": url, "region": endpoint.region_id,
    }  # fmt: skip
