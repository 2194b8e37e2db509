"""The state directory's clouds.yaml, which every OpenStack client reads."""

import json

from pilvi.kernel.config import Config
from pilvi.ops import site
from pilvi.ops.files import write_file


def render(config: Config, password: str) -> str:
    """YAML whose scalars are written as JSON strings, so that no value can be read as anything else."""
    trusted = site.ca_path(config)
    lines = [
        "clouds:",
        f"  {site.CLOUD_NAME}:",
        "    auth:",
        f"      auth_url: {json.dumps(site.auth_url(config))}",
        f"      username: {json.dumps(site.ADMIN)}",
        f"      password: {json.dumps(password)}",
        f"      project_name: {json.dumps(site.ADMIN)}",
        '      user_domain_id: "default"',
        '      project_domain_id: "default"',
        f"    region_name: {json.dumps(config.cloud.region)}",
        '    interface: "public"',
        '    identity_api_version: "3"',
        '    volume_api_version: "3"',
        *([f"    cacert: {json.dumps(str(trusted))}"] if trusted else []),
    ]
    return "\n".join(lines) + "\n"


def write(config: Config) -> bool:
    return write_file(config.paths.clouds_yaml, render(config, site.admin_password(config).reveal()))
