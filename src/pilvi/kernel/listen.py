"""The listening socket that the supervisor made and keeps, so that a restart of the process refuses nobody.

The convention is systemd's (LISTEN_FDS, LISTEN_PID), so that a site may let systemd hold the socket instead.
"""

import os
import socket
from pathlib import Path
from typing import Final

FIRST_FD: Final = 3
BACKLOG: Final = 1024


def inherited() -> socket.socket | None:
    """The socket handed to this very process, or None: then the process binds its path itself."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    os.set_inheritable(FIRST_FD, False)
    return socket.socket(fileno=FIRST_FD)


def bound(path: Path) -> socket.socket:
    """A socket of our own, where nobody handed us one. What an earlier process left at the path goes."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    path.chmod(0o600)
    listener.listen(BACKLOG)
    return listener
