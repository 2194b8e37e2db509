"""Paths between the server and the route table."""

from collections.abc import Callable
from typing import Any

from pilvi.kernel import ids


def template_of(path: str) -> str:
    """The path with numbered names: falcon wants one name per place, handlers have their own."""
    parts = [f"{{p{i}}}" if part.startswith("{") else part for i, part in enumerate(path.split("/"))]
    return "/".join(parts) or "/"


class ProjectInPath:
    """Takes the optional project id out of `/compute/v2.1/{project_id}/…`, as clients of old catalogs send it."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        path: str = environ["PATH_INFO"]
        if path.startswith("/compute/v2.1/") and len(path) >= 46:
            project, slash, rest = path[14:].partition("/")
            if len(project) == 32 and ids.is_uuid(project):
                environ["PATH_INFO"] = f"/compute/v2.1/{rest}" if slash else "/compute/v2.1"
                environ["pilvi.project_in_path"] = project
        return self.app(environ, start_response)
