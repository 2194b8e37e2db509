from typing import Any

from pilvi.kernel.context import Context


def version(ctx: Context) -> dict[str, Any]:
    return {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{ctx.base_url}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


def json_home(paths: list[str]) -> dict[str, Any]:
    """The machine-readable table of contents: relation → where."""
    resources: dict[str, Any] = {}
    for path in sorted(paths):
        parts = [p for p in path.removeprefix("/v3").split("/") if p]
        names = [p[1:-1] for p in parts if p.startswith("{")]
        words = [p for p in parts if not p.startswith("{")]
        if not words:
            continue
        last = words[-1]
        relation = "_".join([*words[:-1], last.removesuffix("s") if parts[-1].startswith("{") else last])
        base = "https://docs.openstack.org/api/openstack-identity/3"
        shown: dict[str, Any] = {"href": path}
        if names:
            shown = {"href-template": path, "href-vars": {n: f"{base}/param/{n}" for n in names}}
        resources.setdefault(f"{base}/rel/{relation.replace('-', '_')}", shown)
    return {"resources": resources}
