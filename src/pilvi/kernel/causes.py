"""From what went wrong to what to do about it: remedy, who can do it, and words that are fit for every tenant. Pure.

`known(text)` finds the case that a message is about. `safe(text)` takes out what only operators may read: names of
hosts, paths on them, addresses of the cloud's own machines.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

OWNER: Final = "the project's users"
ADMIN: Final = "an administrator of the cloud"
OPERATOR: Final = "the operator of the host"
UPLOADER: Final = "whoever uploaded the image"
BOTH: Final = f"{OWNER}; {ADMIN}"


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of trouble."""

    key: str
    remedy: str
    who: str
    consequence: str = ""
    """What follows from it, where that is not plain."""
    tenant: str = ""
    """How users are told, where the operators' text must not be seen by them."""


_CASES: Final[tuple[tuple[str, Case], ...]] = (
    # ---- refused by a rule, a quota or a check of the request
    (r"Quota exceeded|Maximum number of|quota", Case(
        "quota", "Delete what is not needed, or have the quota raised: openstack quota set.", BOTH,
        "Nothing was made.")),
    (r"Policy doesn't allow|[Pp]olicy does not|not allowed to|disallowed by policy|not authorized|need.* role", Case(
        "policy", "Have somebody grant the role that the rule names, or ask somebody who has it.", ADMIN,
        "The request changed nothing.")),
    (r"is locked", Case("locked", "Unlock it first: openstack server unlock.", BOTH)),
    (r"[Cc]annot '\w+' instance .* while it is in", Case(
        "state", "Wait until it has reached another state, or bring it there first.", OWNER)),
    (r"smaller than|too small for requested image|needs a disk of", Case(
        "flavor-too-small", "Choose a flavor with more memory or disk, or a smaller image.", OWNER)),
    (r"more IP addresses|No more IP|IpAddressGenerationFailure|no (free )?address", Case(
        "addresses-exhausted", "Delete unused ports, widen the allocation pools, or add a subnet.", OWNER)),
    (r"already in use|still in use|has an attached device", Case(
        "in-use", "Detach or delete what uses it, or choose another.", OWNER)),
    (r"requires a subnet", Case("no-subnet", "Make a subnet in the network: openstack subnet create.", OWNER)),
    (r"is not active\.$", Case(
        "image-not-active", "Upload the image's data, or wait until the upload or import has ended.", UPLOADER)),
    (r"availability zone is not available|[Nn]ot in availability zone|is in availability zone", Case(
        "zone", "Name a zone that exists (openstack availability zone list), or none.", OWNER)),
    # ---- no host
    (r"has no host yet|no host is there", Case(
        "no-host", "Start an agent on a host: ./pilvi up, and look at `pilvi status`.", OPERATOR,
        "No server can be made.")),
    (r"the host is down|agent does not answer|not been heard of|host does not answer|does not report", Case(
        "agent-silent", "Look at the agent on that host: `pilvi status`, log/agent.log; start it again. Guests run on.",
        OPERATOR, "What is asked of this host waits until its agent is back.", "Its host does not answer.")),
    (r"closed for new servers|it is disabled", Case(
        "host-disabled", "Enable the host: openstack compute service set --enable.", ADMIN)),
    (r"more than one host can give|one server may have", Case(
        "flavor-too-large", "Choose a smaller flavor; no host of this cloud is as large as this one asks.", OWNER)),
    (r"less than that is free|\d free of", Case(
        "capacity", "Delete servers that are not needed, choose a smaller flavor, or add a host.", BOTH,
        "The server holds nothing and does not run.")),
    (r"\bit lacks [A-Z_0-9, ]+|\bno (HW|CUSTOM|COMPUTE|STORAGE|MISC)_[A-Z0-9_]+", Case(
        "trait-missing", "Choose a flavor that does not require the trait, or add a host that has it.", BOTH)),
    (r"has the unwanted", Case(
        "trait-forbidden", "Choose a flavor that does not forbid the trait, or add a host without it.", BOTH)),
    (r"another request was faster", Case("race", "Ask again; others took the room in the same moment.", OWNER)),
    (r"it has no [A-Z_]+\b", Case("class-missing", "No host offers this class of resource; change the flavor.", ADMIN)),
    # ---- the image
    (r"arrived damaged|SHA-512 is|checksum|digest", Case(
        "image-checksum", "The bytes differ from what was uploaded: look at the image store's disk; upload the image "
        "again if it stays so.", f"{OPERATOR}; {UPLOADER}", "No server can be made from this image on that host.",
        "The image arrived damaged at the host.")),
    (r"cannot boot images of the format|said to be qcow2|refers to another file|does not look like|image format", Case(
        "image-format", "Convert the image with qemu-img to a plain qcow2 or raw file, and upload it with its true "
        "disk_format.", UPLOADER)),
    (r"the host's disk has \d+ left|No space left|[Dd]isk (is )?full|ENOSPC", Case(
        "disk-full", "Free space on the host's state directory, or give it a larger disk.", OPERATOR,
        "Servers that need this disk wait; those that run are paused by the kernel only when they write.",
        "The host has no disk space for it.")),
    (r"upload broke off|No data came|upload is given up|did not finish in time", Case(
        "upload-broke-off", "Upload the data again.", UPLOADER, "The image is queued again and has no data.")),
    # ---- the hypervisor
    (r"process (of the guest )?died|QEMU ended|crashed|process does not answer", Case(
        "guest-crashed", "Start it again: openstack server start. If it dies again, read the server's qemu.log on its "
        "host.", f"{OWNER}; {OPERATOR}", "The guest does not run.", "The guest's virtual machine process died.")),
    (r"shut itself down|powered itself off", Case(
        "guest-shut-down", "Start it again: openstack server start.", OWNER, "The guest does not run.")),
    (r"/dev/kvm|KVM|virtuali[sz]ation", Case(
        "no-kvm", "Enable virtualization in the firmware, load kvm, or set compute.virt_type to tcg.", OPERATOR, "",
        "The host cannot run virtual machines now.")),
    (r"cannot be started: |`\./pilvi up` installs", Case(
        "program-missing", "Run ./pilvi doctor on the host, then ./pilvi up: it installs what is missing.", OPERATOR,
        "", "A program of the host cannot be started.")),
    (r"no user for one more|network interfaces; this host", Case("host-limit", "Use another host.", ADMIN)),
    (r"this host offers", Case(
        "image-property", "Change the image's property, or use a host that offers it.", UPLOADER)),
    # ---- the network of a host
    (r"cannot be enforced on this kernel|kernel cannot|nf_conntrack|modprobe", Case(
        "kernel-feature", "Load the kernel modules that the message names; `pilvi doctor` tries it.", OPERATOR,
        "Ports on this host stay down: they are not opened without their security groups.",
        "The host's kernel lacks something that networks need.")),
    (r"DHCP|responder", Case(
        "dhcp", "Look at the agent's log on that host; it tries again by itself.", OPERATOR,
        "New guests of this network get no address, no keys and no user data.",
        "DHCP and metadata of the network do not answer.")),
    (r"metadata", Case(
        "metadata", "Look at the agent's log on that host; it tries again by itself.", OPERATOR,
        "New guests of this network get no metadata, so no keys and no user data.",
        "The metadata service of the network does not answer.")),
    (r"data plane|namespace|netlink|tap of port|not plugged|link", Case(
        "data-plane", "Look at the agent's log on that host; it tries again by itself.", OPERATOR,
        "What changed in the network of this host is not in force.", "The host could not connect the network.")),
    # ---- the control plane itself
    (r"A bug of ours|Something went wrong on our side", Case(
        "bug", "Tell the makers, with the request id and log/api.log.", OPERATOR, "The request changed nothing.")),
    (r"database", Case("database", "Look at the disk or the server of the database.", OPERATOR)),
    (r"could not be found|not found|does not exist", Case(
        "not-found", "Check the id, and that it is in the project you work in.", "whoever asked")),
)  # fmt: skip

_PATTERNS: Final = tuple((re.compile(pattern), case) for pattern, case in _CASES)
_PATH: Final = re.compile(r"(?<![\w:/])/(?:[\w.@+-]+/)*[\w.@+-]+")


def known(text: str) -> Case | None:
    """The case that a message is about; the first that fits."""
    return next((case for pattern, case in _PATTERNS if pattern.search(text)), None)


def safe(text: str, names: Iterable[str] = ()) -> str:
    """The message without paths, and without these names of hosts."""
    for name in sorted((n for n in names if n), key=len, reverse=True):
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", "the host", text)
    return _PATH.sub("a file of the host", text)


def for_tenant(text: str, names: Iterable[str] = ()) -> str:
    """What a user is told of trouble on a host: the cause in words they may read, and what to do."""
    case = known(text)
    if case is None:
        return safe(text, names)
    said = safe(text, names)
    if case.tenant and (said != text or any(letter.isdigit() for letter in text)):
        said = case.tenant  # The text speaks of the host itself.
    return said if case.remedy in said or not _is_for_users(case) else f"{said} {case.remedy}"


def _is_for_users(case: Case) -> bool:
    return OWNER in case.who or UPLOADER in case.who
