"""Quota sets on the wire: which names are there depends on the microversion."""

from typing import Annotated, Any

from pilvi.compute.quotas.model import DEFAULTS, INJECTED, NETWORK
from pilvi.kernel.wire import Body, Lenient, Range, Until

Amount = Annotated[int, Lenient(), Range(-1, 2**31 - 1)]
Old = Annotated[int, Lenient(), Range(-1, 2**31 - 1), Until("2.56")]
Nets = Annotated[int, Lenient(), Range(-1, 2**31 - 1), Until("2.35")]


class QuotaValues(Body):
    instances: Amount = -1
    cores: Amount = -1
    ram: Amount = -1
    metadata_items: Amount = -1
    key_pairs: Amount = -1
    server_groups: Amount = -1
    server_group_members: Amount = -1
    injected_files: Old = -1
    injected_file_content_bytes: Old = -1
    injected_file_path_bytes: Old = -1
    fixed_ips: Nets = -1
    floating_ips: Nets = -1
    security_groups: Nets = -1
    security_group_rules: Nets = -1


class QuotaUpdate(QuotaValues, root="quota_set"):
    force: Annotated[bool, Lenient()] = False


class QuotaClassUpdate(QuotaValues, root="quota_class_set"):
    """The defaults of all projects."""


def visible(values: dict[str, Any], version: int) -> dict[str, Any]:
    """The names of this microversion."""
    shown = {name: value for name, value in values.items() if name in DEFAULTS}
    if version >= 57:
        shown = {name: value for name, value in shown.items() if name not in INJECTED}
    if version <= 35:
        shown |= {name: values[name] for name in NETWORK}
    return shown


ABSOLUTE = {
    "maxTotalInstances": "instances", "maxTotalCores": "cores", "maxTotalRAMSize": "ram",
    "maxTotalKeypairs": "key_pairs", "maxServerMeta": "metadata_items", "maxServerGroups": "server_groups",
    "maxServerGroupMembers": "server_group_members",
}  # fmt: skip
OLD_ABSOLUTE = {
    "maxPersonality": "injected_files", "maxPersonalitySize": "injected_file_content_bytes",
    "maxImageMeta": "metadata_items",
}  # fmt: skip


def absolute(limits: dict[str, int], used: dict[str, int], version: int) -> dict[str, int]:
    """The `absolute` member of /limits."""
    shown = {name: limits[key] for name, key in ABSOLUTE.items()}
    if version <= 56:
        shown |= {name: limits[key] for name, key in OLD_ABSOLUTE.items() if name != "maxImageMeta"}
    if version <= 38:
        shown["maxImageMeta"] = limits["metadata_items"]
    if version <= 35:
        shown |= dict.fromkeys(("maxSecurityGroups", "maxSecurityGroupRules", "maxTotalFloatingIps"), -1)
        shown |= dict.fromkeys(("totalFloatingIpsUsed", "totalSecurityGroupsUsed"), 0)
    shown |= {
        "totalInstancesUsed": used["instances"], "totalCoresUsed": used["cores"], "totalRAMUsed": used["ram"],
        "totalServerGroupsUsed": 0,
    }  # fmt: skip
    return shown
