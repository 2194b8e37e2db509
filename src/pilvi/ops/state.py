"""What must lie in the state directory before a process starts: folders, configuration, secrets, certificates."""

import json
import os
import re
import secrets
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cryptography.fernet import Fernet

from pilvi.kernel.config import Config, ConfigError, parse, split_address
from pilvi.ops import certificates
from pilvi.ops.files import make_directory, write_file
from pilvi.ops.progress import Outcome

HEADER: Final = """\
# Pilvi's configuration: what is not here has its default. docs/operate/configuration.md lists every key.
# After a change run `./pilvi up`.
"""

Settings = Mapping[str, Mapping[str, Any]]


def ensure_directories(config: Config) -> Outcome:
    """Others may pass through the state directory (haproxy's and the guests' users) but read nothing of it."""
    paths = config.paths
    made = [make_directory(paths.state_dir, 0o711)]
    made += [make_directory(path, 0o700) for path in (paths.log, paths.secrets, paths.images, paths.cache, paths.ca)]
    # Sockets made in run/ belong to its group: the front's workers reach them, nobody else does.
    made += [make_directory(paths.host, 0o711), make_directory(paths.run, 0o2750)]
    os.chown(paths.run, 0, _front_group())
    paths.run.chmod(0o2750)  # chown clears the set-group-id bit.
    return Outcome(any(made), str(paths.state_dir))


def _front_group() -> int:
    import grp

    try:
        return grp.getgrnam("haproxy").gr_gid
    except KeyError:
        return 0


def parse_settings(settings: list[str]) -> dict[str, dict[str, Any]]:
    """`front.listen=127.0.0.1:8780` and the like; values are TOML, or a text where TOML reads none."""
    result: dict[str, dict[str, Any]] = {}
    for setting in settings:
        match = re.fullmatch(r"([a-z_]+)\.([a-z_]+)=(.*)", setting, re.DOTALL)
        if match is None:
            raise ConfigError(f"--set takes PART.KEY=VALUE, such as api.threads=4, not {setting!r}.")
        part, key, text = match.groups()
        try:
            value = tomllib.loads(f"v = {text}")["v"]
        except tomllib.TOMLDecodeError:
            value = text
        result.setdefault(part, {})[key] = value
    return result


def ensure_config(state_dir: Path, settings: Settings) -> tuple[Config, Outcome]:
    """Makes pilvi.toml at the first time; later it is the operator's, and settings must agree with it."""
    path = state_dir / "pilvi.toml"
    if path.exists():
        document = tomllib.loads(path.read_text())
        _refuse_other_settings(path, document, settings)
        return parse(document), Outcome(False, str(path))
    document = new_document(state_dir, settings, secrets.token_hex(4))
    config = parse(document)
    make_directory(state_dir, 0o711)
    write_file(path, HEADER + to_toml(document))
    return config, Outcome(True, f"{path}, tag {config.cloud.tag}")


def new_document(state_dir: Path, settings: Settings, tag: str) -> dict[str, dict[str, Any]]:
    cloud = {"tag": tag, "state_dir": str(state_dir), **settings.get("cloud", {})}
    front = dict(settings.get("front", {}))
    if "public_url" not in cloud:
        listen = front.get("listen", "127.0.0.1:8780")
        address, port = split_address(listen, "[front] listen")
        if address.is_unspecified:
            raise ConfigError(
                f"{listen} means every address; say which name clients use: --public-url https://NAME:{port}"
            )
        host = f"[{address}]" if address.version == 6 else str(address)
        cloud["public_url"] = f"{'https' if front.get('tls') else 'http'}://{host}:{port}"
    rest = {part: dict(table) for part, table in settings.items() if part not in ("cloud", "front")}
    return {"cloud": cloud, **({"front": front} if front else {}), **rest}


def _refuse_other_settings(path: Path, document: Settings, settings: Settings) -> None:
    for part, table in settings.items():
        for key, value in table.items():
            present = document.get(part, {}).get(key)
            if present != value:
                raise ConfigError(
                    f"{path} exists and says {part}.{key} = {present!r}, not {value!r}. Edit the file instead."
                )


def to_toml(document: Settings) -> str:
    """Flat tables of texts, numbers and truths are all that a configuration holds. TOML and JSON agree on those."""
    return "\n".join(
        f"[{part}]\n" + "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in table.items())
        for part, table in document.items()
    )


def ensure_secrets(config: Config) -> Outcome:
    paths = (config.paths.admin_password, config.paths.front_secret, config.paths.metrics_token)
    made = [path.name for path in paths if _ensure_secret(path)]
    if not config.paths.sealing_key.exists() and write_file(config.paths.sealing_key, new_sealing_key() + "\n"):
        made.append(config.paths.sealing_key.name)
    return Outcome(bool(made), f"generated {', '.join(made)}" if made else "unchanged")


def new_sealing_key() -> str:
    return Fernet.generate_key().decode()


def new_secret() -> str:
    return secrets.token_urlsafe(24)


def _ensure_secret(path: Path) -> bool:
    return not path.exists() and write_file(path, new_secret() + "\n")


def front_names(config: Config) -> list[str]:
    """Whatever a client may call the front by."""
    address, _port = split_address(config.front.listen, "[front] listen")
    agents, _port = split_address(config.front.agents_listen, "[front] agents_listen")
    names = {"localhost", "127.0.0.1", "::1", urlsplit(config.cloud.public_url).hostname or "localhost"}
    names |= {str(each) for each in (address, agents) if not each.is_unspecified}
    names |= {socket.gethostname()} if re.fullmatch("[A-Za-z0-9.-]+", socket.gethostname()) else set()
    return sorted(names)


def make_certificates_anew(config: Config) -> None:
    """New keys for those who prove themselves with the CA; the CA stays, for it is what others were given to trust."""
    certificates.ensure_front(config.paths, front_names(config), anew=True)
    certificates.ensure_host(config.paths, config.host, anew=True)


def ensure_certificates(config: Config) -> Outcome:
    """Also what the daily renewal runs."""
    paths = config.paths
    made = []
    if certificates.ensure_ca(paths):
        made.append("a CA")
    if certificates.ensure_front(paths, front_names(config)):
        made.append("the front's certificate")
    if certificates.ensure_host(paths, config.host):
        made.append(f"the certificate of host {config.host}")
    if certificates.ensure_saml(paths):
        made.append("a certificate for assertions")
    own = config.front
    if own.certificate_path and own.key_path:
        joined = own.certificate_path.read_bytes() + b"\n" + own.key_path.read_bytes()
        if write_file(paths.run / "front-own.pem", joined):
            made.append("your certificate for the front")
    return Outcome(bool(made), f"made {', '.join(made)}" if made else "valid")
