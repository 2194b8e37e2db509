"""`status`: what runs, since when, with how much memory; where the cloud answers; which guests are here."""

import platform
import shutil
import subprocess
from typing import Any, Final

from pilvi import __version__
from pilvi.client import ApiError
from pilvi.kernel.config import Config
from pilvi.ops import processes, site

UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def report(config: Config) -> dict[str, Any]:
    """Everything as data; `--json` prints it as it is."""
    statuses = processes.statuses(config)
    return {
        "version": __version__,
        "state_dir": str(config.cloud.state_dir),
        "tag": config.cloud.tag,
        "host": config.host,
        "public_url": config.cloud.public_url,
        "agents_listen": config.front.agents_listen,
        "database": config.database_url.partition("@")[2] or config.database_url,
        "programs": programs(),
        "processes": [
            {
                "name": status.name,
                "pid": status.pid,
                "up_s": round(status.up_s),
                "pss_mib": round(status.pss_kib / 1024, 1),
                "restarts": status.restarts,
                "last_exit": status.last_exit,
            }
            for status in statuses
        ],
        "control_plane_pss_mib": round(sum(status.pss_kib for status in statuses) / 1024, 1),
        "servers": servers(config),
    }


def programs() -> dict[str, str]:
    """Versions of what we stand on. Absent ones are not listed."""
    commands = {
        "haproxy": ["haproxy", "-v"],
        "qemu": ["qemu-system-x86_64", "--version"],
        "nft": ["nft", "--version"],
    }
    found = {"kernel": platform.release(), "python": platform.python_version()}
    for name, argv in commands.items():
        program = shutil.which(argv[0], path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin:/usr/local/sbin")
        if program:
            output = subprocess.run(
                [program, *argv[1:]], capture_output=True, text=True, timeout=10, check=False
            ).stdout
            words = output.splitlines()[0].split() if output else []
            found[name] = next((word for word in words if word.lstrip("v")[:1].isdigit()), "?").lstrip("v")
    return found


def servers(config: Config) -> list[dict[str, Any]] | str:
    """All projects' servers, or why they cannot be listed."""
    try:
        with site.admin_client(config, timeout_s=10) as client:
            found = client.get("compute", "/servers/detail", all_tenants="1", limit="1000")["servers"]
    except ApiError as error:
        return str(error)
    return [
        {
            "id": server["id"],
            "name": server["name"],
            "status": server["status"],
            "host": server.get("OS-EXT-SRV-ATTR:host"),
            "addresses": [address["addr"] for each in server["addresses"].values() for address in each],
        }
        for server in found
    ]


def lines(document: dict[str, Any]) -> list[str]:
    """The report for people."""
    versions = ", ".join(f"{name} {version}" for name, version in document["programs"].items())
    result = [
        f"Pilvi {document['version']} on {versions}",
        f"Cloud {document['tag']} in {document['state_dir']}, host {document['host']}, database {document['database']}",
        f"Public {document['public_url']}, agents {document['agents_listen']}",
        "",
        f"{'PROCESS':12} {'PID':>8} {'UP':>8} {'PSS MiB':>8} {'RESTARTS':>8}  LAST EXIT",
    ]
    for entry in document["processes"]:
        pid, up = (entry["pid"], age(entry["up_s"])) if entry["pid"] else ("-", "down")
        counts = f"{entry['pss_mib']:>8} {entry['restarts']:>8}  {entry['last_exit']}"
        result.append(f"{entry['name']:12} {pid:>8} {up:>8} {counts}".rstrip())
    result += [f"{'together':12} {'':8} {'':8} {document['control_plane_pss_mib']:>8}", ""]
    found = document["servers"]
    if isinstance(found, str):
        return [*result, f"Servers: unknown. {found}"]
    if not found:
        return [*result, "No servers."]
    result.append(f"{'SERVER':36} {'NAME':20} {'STATUS':10} ADDRESSES")
    result += [f"{s['id']:36} {s['name'][:20]:20} {s['status']:10} {', '.join(s['addresses'])}" for s in found]
    return result


def age(seconds: float) -> str:
    for size, unit in UNITS:
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return "0 s"
