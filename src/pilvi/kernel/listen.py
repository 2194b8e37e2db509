"""The listening socket that the supervisor made and keeps, so that a restart of the process refuses nobody.

The convention is systemd's (LISTEN_FDS, LISTEN_PID), so that a site may let systemd hold the socket instead.
"""

import os
import socket
from typing import Any, Final

FIRST_FD: Final = 3


def inherited() -> socket.socket | None:
    """The socket handed to this very process, or None: then the process binds its path itself."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or os.environ.get("LISTEN_FDS") != "1":
        return None
    os.set_inheritable(FIRST_FD, False)
    return socket.socket(fileno=FIRST_FD)


def hand_to_granian(server: Any, listener: socket.socket, backlog: int) -> None:
    """Makes a granian server, made with any `uds`, accept on this socket. Its workers get it by inheritance."""
    from granian._granian import SocketHolder

    os.set_inheritable(listener.fileno(), True)
    holder = SocketHolder(listener.fileno(), True, backlog)  # type: ignore[call-arg]

    def take() -> None:
        server._shd, server._sfd, server._sso = holder, holder.get_fd(), listener

    server._init_shared_socket = take
