"""What an operator may set: one TOML file, one frozen dataclass per part, read once and handed down.

Only what is in the file differs from the defaults below; a key nobody knows is refused. Secrets are files.
"""

import hmac
import ipaddress
import re
import socket
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

LONGEST_SOCKET_PATH: Final = 107  # What the kernel's sockaddr_un holds, less the closing zero.


class ConfigError(Exception):
    """The configuration cannot be used; the message says where and what to do."""


class Secret:
    """A string that does not print, log, compare slowly or pickle by accident."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def current(self) -> "Secret":
        return self

    def knows(self, text: str) -> bool:
        """Whether this is it; takes as long for a wrong text as for the right one."""
        return hmac.compare_digest(text.encode("utf-8", "surrogateescape"), self._value.encode())

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> typing.NoReturn:
        raise TypeError("A Secret does not travel.")

    @staticmethod
    def from_file(path: Path) -> "Secret":
        """Reads a file that only its owner can read."""
        try:
            mode = path.stat().st_mode
            text = path.read_text().strip()
        except OSError as error:
            raise ConfigError(f"Cannot read the secret {path}: {error.strerror}. `./pilvi up` makes it.") from None
        if mode & 0o077:
            raise ConfigError(f"The secret {path} can be read by others. Run: chmod 600 {path}")
        if not text:
            raise ConfigError(f"The secret {path} is empty. Remove it and run `./pilvi up`.")
        return Secret(text)


@dataclass(frozen=True, slots=True)
class CloudConfig:
    tag: str = "00000000"  # Eight hex digits in the name of every namespace, so that clouds on one machine do not mix.
    region: str = "RegionOne"  # What clients call this cloud's region.
    public_url: str = "http://127.0.0.1:8780"  # What the catalog and links say.
    state_dir: Path = Path("/var/lib/pilvi")  # Everything that must outlive a reboot.


@dataclass(frozen=True, slots=True)
class FrontConfig:
    listen: str = "127.0.0.1:8780"  # The public port. Clear text on loopback only.
    agents_listen: str = "127.0.0.1:8781"  # Where agents come in, always with their own certificate.
    tls: bool = False  # True: TLS on the public port.
    certificate_path: Path | None = None  # A certificate of your own (PEM, with its chain). Default: from the own CA.
    key_path: Path | None = None  # Its private key (PEM, mode 0600).
    max_connections: int = 2000  # Clients at once on the public port.
    cors_origins: str = ""  # Web pages that may use the APIs from a browser, apart by spaces: https://dash.example.com


@dataclass(frozen=True, slots=True)
class DatabaseConfig:
    url: str = ""  # Default: sqlite, cloud.db in the state directory. Or postgresql://user@host/name
    password_path: Path | None = None  # PostgreSQL's password; never in the URL.
    pool_size: int = 16  # Connections per process on PostgreSQL.


@dataclass(frozen=True, slots=True)
class ApiConfig:
    threads: int = 8  # Requests that write, hash or ask a host at once, per process; what only reads takes none.
    processes: int = 1  # One on SQLite, which has one writer; more on PostgreSQL.
    body_limit_kib: int = 1024  # Larger JSON bodies are refused.
    log_level: Literal["debug", "info", "warning", "error"] = "info"  # The least severe line that is kept.


@dataclass(frozen=True, slots=True)
class IdentityConfig:
    token_lifetime_s: int = 3600  # Clients log in again after it.
    limit_model: Literal["flat", "strict_two_level"] = "flat"  # How limits of a project and of those below it relate.
    lockout_failures: int = 0  # Wrong passwords in a row after which an account is locked for a while; 0: never.
    lockout_s: int = 1800  # How long it stays locked.
    password_days: int = 0  # A password must be changed after so many days; 0: never.
    password_minimum_days: int = 0  # A user may change a password again after so many days.
    password_history: int = 0  # So many former passwords cannot be used again.
    password_regex: str = ""  # What a password must match.
    password_regex_description: str = ""  # The same for people.
    password_change_first: bool = False  # A password that an administrator set must be changed at its first use.
    inactive_days: int = 0  # An account that nobody used for so many days counts as disabled; 0: never.
    oidc_path: Path | None = None  # OpenID Connect issuers to trust: a TOML file that only its owner can read.
    dashboards: str = ""  # URLs, apart by spaces, that a login in a browser may hand its token to.
    directory_s: int = 300  # How often the users and groups of LDAP domains are read anew; a login does so at once.
    expired_token_s: int = 172800  # A service may finish a user's work so long after the user's token ended.


@dataclass(frozen=True, slots=True)
class ImageConfig:
    largest_gib: int = 64  # Uploads beyond this are refused while they stream.
    import_from: str = ""  # Hosts that imports may fetch from although they are not public: "name, 10.0.0.5:8080".
    show_locations: bool = False  # Show where bytes are, and let owners say so: they could swap what others read.
    cache_gib: int = 10  # Copies of images that are slow to read, kept where they are served from; 0: no cache.
    strict_formats: bool = True  # Content is what disk_format says; else what nobody recognises may pass as anything.
    property_protections: Path | None = None  # Who may read and change which free properties: upstream's file.
    property_protection_format: Literal["roles", "policies"] = "roles"  # What that file names.
    second_store: Path | None = None  # A directory for a second store, such as another disk.


@dataclass(frozen=True, slots=True)
class ComputeConfig:
    hypervisor: Literal["qemu", "fake"] = "qemu"  # fake: guests in memory, for benchmarks and tests.
    virt_type: Literal["auto", "kvm", "tcg"] = "auto"  # auto: KVM if a probe guest boots under it.
    cpu_allocation_ratio: float = 4.0  # Virtual processors per real one.
    memory_allocation_ratio: float = 1.0  # Guests' memory per real memory; beyond 1 needs swap.
    disk_allocation_ratio: float = 1.0  # Disks' sizes per real disk; they are sparse.


@dataclass(frozen=True, slots=True)
class NetworkConfig:
    driver: Literal["linux", "fake"] = "linux"  # fake: networks in memory, for benchmarks and tests.
    external_cidr: str = "203.0.113.0/24"  # The external network that `up` makes. Its first address is the gateway.
    mtu: int = 1500  # Of networks that ask for none.
    dns_domain: str = "pilvi.internal"  # What guests' names end in.


@dataclass(frozen=True, slots=True)
class AgentConfig:
    host: str = ""  # This host's name in the cloud. Default: the machine's host name.
    report_interval_s: int = 10  # How often the host says what is there when nothing changed.


@dataclass(frozen=True, slots=True)
class TracingConfig:
    endpoint: str = ""  # A collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; empty: no traces.


@dataclass(frozen=True, slots=True)
class Paths:
    """Where everything of one cloud lies. Derived from the state directory, so not configurable."""

    state_dir: Path
    config: Path
    clouds_yaml: Path
    database: Path
    images: Path
    cache: Path
    host: Path
    policy: Path
    log: Path
    run: Path
    api_socket: Path
    live_socket: Path
    live_wake_socket: Path
    secrets: Path
    admin_password: Path
    front_metrics_socket: Path
    front_secret: Path
    metrics_token: Path  # What a scraper shows to read /metrics.
    sealing_key: Path  # What the keys in the database are sealed with.
    ca: Path
    ca_certificate: Path
    saml_certificate: Path  # With its key: what signs assertions for other clouds.
    front_certificate: Path  # With its key in the same file, as haproxy wants it.

    @staticmethod
    def under(state_dir: Path) -> "Paths":
        run, secrets, ca = state_dir / "run", state_dir / "secrets", state_dir / "ca"
        return Paths(
            state_dir=state_dir,
            config=state_dir / "pilvi.toml",
            clouds_yaml=state_dir / "clouds.yaml",
            database=state_dir / "cloud.db",
            images=state_dir / "images",
            cache=state_dir / "cache",
            host=state_dir / "host",
            policy=state_dir / "policy",
            log=state_dir / "log",
            run=run,
            api_socket=run / "api.sock",
            live_socket=run / "live.sock",
            live_wake_socket=run / "live-wake.sock",
            front_metrics_socket=run / "m-front.sock",
            secrets=secrets,
            admin_password=secrets / "admin_password",
            front_secret=secrets / "front_secret",
            metrics_token=secrets / "metrics_token",
            sealing_key=secrets / "sealing_key",
            ca=ca,
            ca_certificate=ca / "ca.pem",
            saml_certificate=ca / "saml.pem",
            front_certificate=ca / "front.pem",
        )

    def host_certificate(self, host: str) -> Path:
        return self.ca / "hosts" / f"{host}.pem"

    def host_key(self, host: str) -> Path:
        return self.ca / "hosts" / f"{host}.key"


@dataclass(frozen=True, slots=True)
class Config:
    cloud: CloudConfig = field(default_factory=CloudConfig)
    front: FrontConfig = field(default_factory=FrontConfig)
    database: DatabaseConfig = field(default_factory=DatabaseConfig)
    api: ApiConfig = field(default_factory=ApiConfig)
    identity: IdentityConfig = field(default_factory=IdentityConfig)
    image: ImageConfig = field(default_factory=ImageConfig)
    compute: ComputeConfig = field(default_factory=ComputeConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    agent: AgentConfig = field(default_factory=AgentConfig)
    tracing: TracingConfig = field(default_factory=TracingConfig)
    quotas: Mapping[str, int] = field(default_factory=dict)  # Default quotas that differ, such as instances = 50.

    @property
    def paths(self) -> Paths:
        return Paths.under(self.cloud.state_dir)

    @property
    def host(self) -> str:
        """This machine's name in the cloud."""
        return self.agent.host or socket.gethostname().split(".")[0]

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite:///{self.paths.database}"

    def database_password(self) -> Secret | None:
        path = self.database.password_path
        return Secret.from_file(path) if path else None


def load(path: Path) -> Config:
    """Reads and checks the file. Says what is wrong, where, and what would be right."""
    try:
        document = tomllib.loads(path.read_text())
    except FileNotFoundError:
        raise ConfigError(f"There is no {path}. `./pilvi up` makes a cloud; --state names another one.") from None
    except PermissionError:
        raise ConfigError(f"{path} belongs to root. Run as root.") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {error}.") from None
    try:
        return parse(document)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse(document: Mapping[str, Any]) -> Config:
    """The same from a document that is read already. Pure."""
    hints = typing.get_type_hints(Config)
    parts: dict[str, Any] = {}
    for name, table in document.items():
        if name not in hints:
            raise ConfigError(f"there is no part [{name}]; the parts are {_listed(hints)}.")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{name} must be a table, written [{name}].")
        parts[name] = _quotas(table) if name == "quotas" else _part(hints[name], name, table)
    config = Config(**parts)
    _check(config)
    return config


Part = TypeVar("Part")


def _part(kind: type[Part], name: str, table: Mapping[str, Any]) -> Part:
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(table) - set(hints))
    if unknown:
        raise ConfigError(f"[{name}] has no key {_listed(unknown)}; its keys are {_listed(hints)}.")
    return kind(**{key: _value(hints[key], f"[{name}] {key}", value) for key, value in table.items()})


def _value(hint: Any, where: str, value: Any) -> Any:
    """The value as its type, or a refusal that names the place."""
    if isinstance(hint, types.UnionType):  # Only `X | None` is used; null does not exist in TOML.
        hint = next(option for option in typing.get_args(hint) if option is not types.NoneType)
    if typing.get_origin(hint) is Literal:
        if value not in typing.get_args(hint):
            raise ConfigError(f"{where} must be one of {_listed(typing.get_args(hint))}, not {value!r}.")
        return value
    if hint is Path:
        if not isinstance(value, str) or not Path(value).is_absolute():
            raise ConfigError(f"{where} must be an absolute path in quotes, not {value!r}.")
        return Path(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise ConfigError(f"{where} must be {_NAMES[hint]}, not {value!r}.")
    return value


_NAMES: Final = {str: "a text in quotes", int: "a whole number", float: "a number", bool: "true or false"}


def _quotas(table: Mapping[str, Any]) -> Mapping[str, int]:
    for key, value in table.items():
        if type(value) is not int or value < -1:
            raise ConfigError(f"[quotas] {key} must be a whole number, -1 for no limit, not {value!r}.")
    return dict(table)


def _listed(names: typing.Iterable[object]) -> str:
    return ", ".join(str(name) for name in names)


def _check(config: Config) -> None:
    """What no single value shows."""
    if not re.fullmatch("[0-9a-f]{8}", config.cloud.tag):
        raise ConfigError("[cloud] tag must be eight hexadecimal digits.")
    if not re.fullmatch("https?://[^/]+", config.cloud.public_url):
        raise ConfigError("[cloud] public_url must be like http://127.0.0.1:8780, without a path.")
    if len(str(config.paths.live_wake_socket)) > LONGEST_SOCKET_PATH:
        raise ConfigError(
            "[cloud] state_dir is too long a path: its sockets would exceed 107 characters. Use a shorter one."
        )
    if config.tracing.endpoint and not re.fullmatch("https?://[^/?#@]+/?", config.tracing.endpoint):
        raise ConfigError("[tracing] endpoint must be like http://127.0.0.1:4318, without a path, or empty.")
    _check_front(config.front)
    _check_database(config)
    _check_ranges(config)
    try:
        ipaddress.ip_network(config.network.external_cidr)
    except ValueError as error:
        raise ConfigError(f"[network] external_cidr: {error}.") from None
    if not re.fullmatch("[A-Za-z0-9]([A-Za-z0-9.-]{0,62})", config.host):
        raise ConfigError(f"[agent] host {config.host!r} must be letters, digits, dots and hyphens, at most 63.")


def _check_front(front: FrontConfig) -> None:
    for key, value in (("listen", front.listen), ("agents_listen", front.agents_listen)):
        address, _port = split_address(value, f"[front] {key}")
        if key == "listen" and not address.is_loopback and not front.tls:
            raise ConfigError(
                f"[front] listen is {value}, which others can reach, in clear text: passwords and tokens would cross "
                "the network readable. Set tls = true (the own CA signs), and certificate_path/key_path for your own."
            )
    for origin in front.cors_origins.split():
        if not re.fullmatch(r"https?://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:[0-9]{1,5})?", origin):
            raise ConfigError(
                f"[front] cors_origins: {origin} is no origin as browsers write it, such as "
                "https://dash.example.com or http://127.0.0.1:3000: no path, no capital letters."
            )
    if (front.certificate_path is None) != (front.key_path is None):
        raise ConfigError("[front] certificate_path and key_path belong together; set both or neither.")


def _check_database(config: Config) -> None:
    url = config.database_url
    if not url.startswith(("sqlite:////", "postgresql://")):
        raise ConfigError("[database] url must be sqlite:////absolute/path or postgresql://user@host/name.")
    if re.match("postgresql://[^/@]*:[^/@]*@", url):
        raise ConfigError("[database] url holds a password. Put it into a file (mode 0600) and set password_path.")
    if url.startswith("sqlite") and config.api.processes != 1:
        raise ConfigError("[api] processes must be 1 on SQLite, which has one writer. Use PostgreSQL for more.")


def _check_ranges(config: Config) -> None:
    for where, value, low, high in (
        ("[api] threads", config.api.threads, 1, 256),
        ("[api] processes", config.api.processes, 1, 64),
        ("[api] body_limit_kib", config.api.body_limit_kib, 64, 65536),
        ("[front] max_connections", config.front.max_connections, 300, 100_000),
        ("[database] pool_size", config.database.pool_size, 2, 1000),
        ("[identity] token_lifetime_s", config.identity.token_lifetime_s, 60, 31 * 24 * 3600),
        ("[identity] inactive_days", config.identity.inactive_days, 0, 36500),
        ("[identity] directory_s", config.identity.directory_s, 10, 24 * 3600),
        ("[identity] expired_token_s", config.identity.expired_token_s, 0, 31 * 24 * 3600),
        ("[image] largest_gib", config.image.largest_gib, 1, 1024 * 1024),
        ("[image] cache_gib", config.image.cache_gib, 0, 1024 * 1024),
        ("[network] mtu", config.network.mtu, 1280, 65535),
        ("[agent] report_interval_s", config.agent.report_interval_s, 1, 3600),
        ("[compute] cpu_allocation_ratio", config.compute.cpu_allocation_ratio, 0.1, 1000.0),
        ("[compute] memory_allocation_ratio", config.compute.memory_allocation_ratio, 0.1, 100.0),
        ("[compute] disk_allocation_ratio", config.compute.disk_allocation_ratio, 0.1, 1000.0),
    ):
        if not low <= value <= high:
            raise ConfigError(f"{where} must be between {low} and {high}, not {value}.")


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def split_address(text: str, where: str) -> tuple[Address, int]:
    """127.0.0.1:8780 or [::1]:8780."""
    host, _, port = text.rpartition(":")
    try:
        address, number = ipaddress.ip_address(host.removeprefix("[").removesuffix("]")), int(port)
    except ValueError:
        raise ConfigError(
            f"{where} must be ADDRESS:PORT, such as 127.0.0.1:8780 or [::1]:8780, not {text!r}."
        ) from None
    if not 1 <= number <= 65535:
        raise ConfigError(f"{where} must have a port between 1 and 65535, not {number}.")
    return address, number
