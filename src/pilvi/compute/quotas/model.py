"""Compute quotas: the names, the defaults, and how a refusal reads."""

from collections.abc import Mapping

from pilvi.kernel.errors import Forbidden

DEFAULTS = {
    "instances": 10, "cores": 20, "ram": 51200, "metadata_items": 128, "injected_files": 5,
    "injected_file_content_bytes": 10240, "injected_file_path_bytes": 255, "key_pairs": 100, "server_groups": 10,
    "server_group_members": 10,
}  # fmt: skip

INJECTED = ("injected_files", "injected_file_content_bytes", "injected_file_path_bytes")
"""Gone from the API with 2.57."""
NETWORK = {"fixed_ips": -1, "floating_ips": -1, "security_groups": -1, "security_group_rules": -1}
"""Shown and kept until 2.35, when compute stopped to speak for the network. The network service has its own limits."""


def check(asked: Mapping[str, int], used: Mapping[str, int], limits: Mapping[str, int]) -> None:
    """Refuse with the numbers when any resource would exceed its limit; -1 is unlimited."""
    over = [name for name, amount in asked.items() if 0 <= limits[name] < used.get(name, 0) + amount]
    if not over:
        return
    requested = ", ".join(str(asked[name]) for name in over)
    have = ", ".join(str(used.get(name, 0)) for name in over)
    allowed = ", ".join(str(limits[name]) for name in over)
    raise Forbidden(
        f"Quota exceeded for {', '.join(over)}: Requested {requested}, but already used {have} of {allowed} "
        f"{', '.join(over)}. Delete what is not needed or ask an administrator for a larger quota."
    )
