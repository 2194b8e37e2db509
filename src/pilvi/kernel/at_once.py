"""Requests that the thread which read them answers itself, because nothing of them makes this thread wait.

A server tries each request so, with `AT_ONCE` in its environ and a `moment` of the database in force. Whatever would
have to wait for a disk, a host or a hash raises MustWait before it does anything; then a worker begins anew.
"""

from contextvars import ContextVar
from typing import Any, Final

AT_ONCE: Final = "pilvi.at_once"
"""Key in the environ of a request that is tried at once."""

moment: ContextVar[Any] = ContextVar("moment", default=None)
"""The database's, in which this request is tried; None in a thread that may wait."""


class MustWait(BaseException):
    """This cannot be done at once. No Exception, so that nobody takes it for a failure of the work."""
