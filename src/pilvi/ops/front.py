"""The front: haproxy with a generated file. It is the only thing that strangers talk to.

What it promises to the processes behind it:
- `X-Pilvi-Front` holds the front's secret and `X-Pilvi-Host` a host proven by certificate; a client cannot send either.
- `api` gets a request when the whole of it is here, up to a size.
- bodies that stream go to `live` as they come.
"""

import grp
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pilvi.kernel.config import Config, ConfigError, Secret, split_address
from pilvi.kernel.secret_files import SecretFile
from pilvi.ops.files import write_file

APT_PACKAGES: Final = ("haproxy",)
BUFFER_BYTES: Final = 32 * 1024  # Per connection that has something to say: line, headers and body of a small request.
SMALL_BODY_BYTES: Final = 20 * 1024  # What surely fits the buffer beside the largest headers.
LARGE_BODIES: Final = 32  # Larger bodies that come in at once.
UNPRIVILEGED: Final = "haproxy"
CORS_METHODS: Final = "GET, HEAD, POST, PUT, PATCH, DELETE"
CORS_KEPT_S: Final = 3600
CORS_EXPOSED: Final = ", ".join(
    ("X-Subject-Token", "X-Openstack-Request-Id", "Openstack-Auth-Receipt", "OpenStack-API-Version", "Location",
     "X-OpenStack-Nova-API-Version", "X-Compute-Request-Id", "OpenStack-image-import-methods",
     "OpenStack-image-store-ids")
)  # fmt: skip
"""What our answers say in headers and a page could not see otherwise."""

REFUSALS: Final = {
    400: ("Bad Request", "The request is not valid HTTP."),
    403: ("Forbidden", "This address has too many connections, or the path is not public."),
    408: ("Request Timeout", "The request did not arrive in time."),
    413: ("Request Entity Too Large", "The body is larger than the configured limit."),
    500: ("Internal Server Error", "The front failed."),
    502: ("Bad Gateway", "The service broke off its answer. Try again."),
    503: ("Service Unavailable", "The service is starting or overloaded. Try again in a few seconds."),
    504: ("Gateway Timeout", "The service did not answer in time."),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom haproxy's workers run; None where the state directory lets only root in."""

    user: str
    group: str


def find_identity(state_dir: Path) -> Identity | None:
    try:
        pwd.getpwnam(UNPRIVILEGED), grp.getgrnam(UNPRIVILEGED)
    except KeyError:
        return None
    passable = all(folder.stat().st_mode & 0o001 for folder in (state_dir, *state_dir.parents))
    return Identity(UNPRIVILEGED, UNPRIVILEGED) if passable else None


def render(config: Config, secret: Secret, identity: Identity | None) -> str:
    """haproxy's file. Pure: the same input gives the same text."""
    return (
        "\n\n".join(
            (
                _global(config, identity),
                _defaults(),
                _public(config, secret),
                _agents(config, secret),
                _own_figures(config),
                _backends(config),
            )
        )
        + "\n"
    )


def write(config: Config) -> bool:
    """Writes the file when it differs, after haproxy itself found nothing wrong with it."""
    target = config.paths.run / "haproxy.cfg"
    text = render(config, SecretFile(config.paths.front_secret).current(), find_identity(config.cloud.state_dir))
    if target.exists() and target.read_text() == text:
        return False
    candidate = config.paths.run / "haproxy.cfg.candidate"
    write_file(candidate, text)
    try:
        check(candidate)
        return write_file(target, text)
    finally:
        candidate.unlink(missing_ok=True)


def check(path: Path) -> None:
    result = subprocess.run(
        [executable(), "-c", "-q", "-f", str(path)], capture_output=True, text=True, timeout=30, check=False
    )
    if result.returncode != 0:
        raise ConfigError(f"haproxy refuses its configuration: {result.stderr.strip()[-1000:]}")


def command(config: Config) -> list[str]:
    """A master that stays in the foreground; SIGUSR2 makes it take up a new file without dropping a connection."""
    return [executable(), "-W", "-f", str(config.paths.run / "haproxy.cfg")]


def executable() -> str:
    found = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ConfigError("haproxy is not installed. Run: apt-get install haproxy")
    return found


def _block(title: str, *lines: str) -> str:
    return "\n".join((title, *(f"    {line}" for line in lines if line)))


def _global(config: Config, identity: Identity | None) -> str:
    return _block(
        "global",
        f"maxconn {config.front.max_connections + 1000}",
        f"stats socket {config.paths.run}/front.sock mode 600 level admin expose-fd listeners",
        "log stderr format raw local0 warning",
        "nbthread 2",
        "hard-stop-after 60s",
        f"tune.bufsize {BUFFER_BYTES}",
        "tune.maxrewrite 2048",
        "tune.http.maxhdr 128",
        f"user {identity.user}" if identity else "",
        f"group {identity.group}" if identity else "",
        "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
    )


def _defaults() -> str:
    errors = [
        f"http-error status {status} content-type application/json string "
        f'\'{{"error": {{"code": {status}, "title": "{title}", "message": "{message}"}}}}\''
        for status, (title, message) in REFUSALS.items()
    ]
    return _block(
        "defaults",
        "mode http",
        "log global",
        "option dontlognull",
        "option dontlog-normal",
        "http-reuse always",
        "timeout http-request 5s",  # Line, headers and, where it is buffered, the body.
        "timeout http-keep-alive 30s",
        "timeout client 60s",  # Without a byte in either direction.
        "timeout client-fin 10s",
        "timeout tunnel 1h",  # Websockets; both ends ping within it.
        "timeout connect 1s",
        "timeout queue 30s",
        "timeout server 300s",
        "retries 8",  # Hides the restart of a process: a connection that was refused is tried again each second.
        *errors,
    )


def _bind(address: str, options: str) -> str:
    return f"bind {address} {options}".rstrip()


def _scrub(secret: Secret, scheme: str) -> list[str]:
    """WSGI servers read X_Pilvi_Host as X-Pilvi-Host, so both spellings go."""
    return [
        "http-request del-header ^[Xx][-_]+[Pp][Ii][Ll][Vv][Ii]([-_].*)?$ -m reg",
        "http-request del-header ^[Xx][-_]+[Ff][Oo][Rr][Ww][Aa][Rr][Dd][Ee][Dd][-_].*$ -m reg",
        "http-request del-header Forwarded",
        "http-request del-header Proxy",
        f'http-request set-header X-Pilvi-Front "{secret.reveal()}"',
        f"http-request set-header X-Forwarded-Proto {scheme}",
        "http-request set-header X-Forwarded-Host %[req.hdr(host)]",
        "http-request set-header X-Forwarded-For %[src]",
    ]


def _large_body(config: Config) -> list[str]:
    limit = config.api.body_limit_kib * 1024
    return [
        f"acl is_too_large req.body_size gt {limit}",
        f"acl is_large req.body_size gt {SMALL_BODY_BYTES}",
        "acl is_chunked req.hdr(transfer-encoding) -m found",
    ]


def _public(config: Config, secret: Secret) -> str:
    front = config.front
    split_address(front.listen, "[front] listen")
    certificate = config.paths.front_certificate
    if front.certificate_path is not None:
        certificate = config.paths.run / "front-own.pem"  # Certificate and key in one file; `up` joins them.
    options = f"ssl crt {certificate} alpn http/1.1" if front.tls else ""
    return _block(
        "frontend public",
        _bind(front.listen, options),
        f"maxconn {front.max_connections}",
        # Nobody takes more than half of the places.
        "stick-table type ipv6 size 100k expire 5m store conn_cur",
        "tcp-request connection track-sc0 src",
        f"tcp-request connection reject if {{ sc0_conn_cur gt {front.max_connections // 2} }}",
        *_scrub(secret, "https" if front.tls else "http"),
        *_cors(front.cors_origins.split()),
        "http-request deny deny_status 403 if { path -m beg /agent/ }",
        *_large_body(config),
        "acl is_image_data path_reg ^/image/v2/images/[^/]+/(file|stage)/?$",
        "acl is_transfer method PUT GET",
        "acl is_stream path_beg /object/ /console/ /events",
        "http-request deny deny_status 413 if is_too_large !is_image_data !is_stream",
        "use_backend live if is_image_data is_transfer",
        "use_backend live if is_stream",
        "use_backend live if { path /metrics }",
        "use_backend api_large if is_large or is_chunked",
        "default_backend api",
    )


def _cors(origins: list[str]) -> list[str]:
    """What browsers ask before a page of another origin may talk to us. Pages show tokens in headers, never in cookies,
    so credentials are not for them; which headers a page sends is its own affair."""
    if not origins:
        return []
    preflight = "{ method OPTIONS } { req.hdr(origin) -m found } { req.hdr(access-control-request-method) -m found }"
    allowed = (
        f'hdr Access-Control-Allow-Methods "{CORS_METHODS}" hdr Access-Control-Max-Age "{CORS_KEPT_S}" '
        'hdr Access-Control-Allow-Headers "%[req.fhdr(access-control-request-headers)]"'
    )
    known = "{ var(txn.origin) -m found }"
    return [
        f"http-request set-var(txn.origin) req.fhdr(origin) if {{ req.fhdr(origin) -m str {' '.join(origins)} }}",
        f"http-request return status 200 {allowed} if {preflight} {known}",
        f"http-request return status 200 if {preflight}",
        f'http-after-response set-header Access-Control-Allow-Origin "%[var(txn.origin)]" if {known}',
        f'http-after-response set-header Access-Control-Expose-Headers "{CORS_EXPOSED}" if {known}',
        "http-after-response add-header Vary Origin",
    ]


def _agents(config: Config, secret: Secret) -> str:
    paths = config.paths
    tls = f"ssl crt {paths.front_certificate} ca-file {paths.ca_certificate} verify required alpn http/1.1"
    return _block(
        "frontend agents",
        _bind(config.front.agents_listen, tls),
        "maxconn 1000",
        *_scrub(secret, "https"),
        "http-request set-header X-Pilvi-Host %[ssl_c_s_dn(cn)]",
        "http-request deny deny_status 403 if !{ path -m beg /agent/ }",
        *_large_body(config),
        "acl is_websocket req.hdr(upgrade) -i websocket",
        "acl is_image path_beg /agent/v1/images/",
        "use_backend live_agents if is_websocket or is_image",
        "use_backend api_large if is_large or is_chunked",
        "default_backend api",
    )


def _own_figures(config: Config) -> str:
    """haproxy's own figures, for `live` alone: the socket is root's."""
    return _block(
        "listen metrics",
        f"bind unix@{config.paths.front_metrics_socket} mode 600",
        "maxconn 10",
        "http-request use-service prometheus-exporter if { path /metrics }",
        "http-request deny deny_status 403",
    )


def _backends(config: Config) -> str:
    paths = config.paths
    api = f"unix@{paths.api_socket}"
    live = f"unix@{paths.live_socket}"
    many = config.front.max_connections  # Whoever sends or reads slowly holds a connection, but no thread.
    buffered = ("option http-buffer-request", *_retries())
    return "\n\n".join(
        (
            _block("backend api", *buffered, f"server api {api} maxconn {many}"),
            # A body beyond the buffer reaches api while its client may still stall, and fills api's memory meanwhile:
            # so many at once, the others wait here.
            _block("backend api_large", *buffered, f"server api {api} maxconn {LARGE_BODIES}"),
            _block("backend live", f"server live {live} maxconn {many}"),
            _block("backend live_agents", f"server live {live} maxconn 1000"),
        )
    )


def _retries() -> list[str]:
    """A process that dies over a question is asked again when it is back; a command is never given twice."""
    return [
        "retry-on conn-failure empty-response",
        "http-request disable-l7-retry unless METH_GET",
    ]
