"""Where a cloud is, and how this command reaches it: state directory, configuration, an admin's client."""

import os
from pathlib import Path
from typing import Final

from pilvi.client import Client, Credentials
from pilvi.kernel.config import Config, ConfigError, Secret, load, split_address

DEFAULT_STATE_DIR: Final = Path("/var/lib/pilvi")
CLOUD_NAME: Final = "pilvi"
ADMIN: Final = "admin"


def state_dir(given: Path | None) -> Path:
    """--state, else PILVI_STATE, else the default."""
    return (given or Path(os.environ.get("PILVI_STATE") or DEFAULT_STATE_DIR)).absolute()


def load_config(given: Path | None) -> Config:
    path = state_dir(given) / "pilvi.toml"
    config = load(path)
    if config.cloud.state_dir != path.parent:
        raise ConfigError(f"{path}: [cloud] state_dir is {config.cloud.state_dir}. A cloud's directory does not move.")
    return config


def require_root() -> None:
    if os.geteuid() != 0:
        raise ConfigError(
            "This needs root, for network namespaces, virtual machines and the state directory. Use sudo."
        )


def auth_url(config: Config) -> str:
    return f"{config.cloud.public_url}/identity/v3"


def local_address(config: Config) -> tuple[str, int]:
    """Where the front listens, as seen from this machine."""
    address, port = split_address(config.front.listen, "[front] listen")
    if address.is_unspecified:
        return ("127.0.0.1" if address.version == 4 else "::1"), port
    return str(address), port


def ca_path(config: Config) -> Path | None:
    """What clients must trust; None: nothing beyond what they trust anyway."""
    return config.paths.ca_certificate if config.front.tls and config.front.certificate_path is None else None


def admin_password(config: Config) -> Secret:
    return Secret.from_file(config.paths.admin_password)


def admin_client(config: Config, *, timeout_s: float = 60.0) -> Client:
    return Client(
        Credentials(auth_url(config), ADMIN, admin_password(config), ADMIN),
        ca_path=ca_path(config),
        address=local_address(config),
        timeout_s=timeout_s,
    )


def openstack_variables(config: Config) -> dict[str, str]:
    """What `env` exports and the stock clients read."""
    variables = {
        "OS_AUTH_URL": auth_url(config),
        "OS_IDENTITY_API_VERSION": "3",
        "OS_USERNAME": ADMIN,
        "OS_PASSWORD": admin_password(config).reveal(),
        "OS_PROJECT_NAME": ADMIN,
        "OS_USER_DOMAIN_ID": "default",
        "OS_PROJECT_DOMAIN_ID": "default",
        "OS_REGION_NAME": config.cloud.region,
        "OS_INTERFACE": "public",
    }
    trusted = ca_path(config)
    return variables | ({"OS_CACERT": str(trusted)} if trusted else {})
