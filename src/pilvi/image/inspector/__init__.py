"""Looks into the bytes of an image while they pass, and says what they are. Pure: no tool, no file, bounded memory.

`Inspector.feed` takes the bytes in order, in pieces of any size; `Inspector.finish` gives a `Finding`, and `refusal`
says why an image with that content must not be accepted under its declared format, or nothing.
"""

from pilvi.image.inspector.inspector import Inspector
from pilvi.image.inspector.model import Finding
from pilvi.image.inspector.verdict import refusal

__all__ = ["Finding", "Inspector", "refusal"]
