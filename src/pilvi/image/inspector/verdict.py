"""Whether content may be kept under the format that it was declared with."""

from pilvi.image.inspector.model import Finding

OPAQUE = frozenset({"ami", "ari", "aki", "ploop"})
"""Formats whose content is not looked for."""
RAW_CONTENT = frozenset({"raw", "gpt", "luks", "iso"})
"""What a disk may hold byte by byte; nothing of it makes a tool open another file."""


def refusal(finding: Finding, disk_format: str, container_format: str, *, is_strict: bool = True) -> str:
    """Why this content must not be accepted as that; empty when it may.

    Where the cloud is not strict, content in which nothing is recognised may call itself anything: it does not boot,
    and no tool finds another file named in it. What is recognised must be what it is said to be all the same.
    """
    if container_format not in ("bare", *OPAQUE):
        return ""  # The disk is wrapped; nothing here unwraps it, and nothing opens it as a disk.
    if disk_format == "raw" or disk_format in OPAQUE:
        if finding.format in RAW_CONTENT:
            return ""
        return f"The content is {finding.format}, not {disk_format}. Set disk_format to {finding.format}."
    if finding.format == "raw" and not is_strict:
        return ""
    if finding.format != disk_format:
        return f"The content is {finding.format}, not {disk_format}. Set disk_format to what the file really is."
    return f"The image cannot be accepted: {finding.problem}." if finding.problem else ""
