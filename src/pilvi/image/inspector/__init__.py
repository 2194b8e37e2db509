"""Looks into the bytes of an image and says what they are. Pure: no tool, no file, bounded memory.

`Collector` takes the passing bytes and keeps what matters, without understanding it. `judge` understands, and runs in a
process of its own (`child.py`), locked in by `confine.py`, because what it reads was made by strangers. `refusal` says
why an image with that content must not be accepted under its declared format, or nothing.
"""

from pilvi.image.inspector.inspector import Collector, Inspector
from pilvi.image.inspector.model import Finding, View
from pilvi.image.inspector.verdict import refusal

__all__ = ["Collector", "Finding", "Inspector", "View", "refusal"]
