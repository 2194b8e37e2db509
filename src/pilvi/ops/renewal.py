"""What the supervisor runs once a day: certificates that are due are made anew and taken up without a pause."""

import os
import signal

from pilvi.kernel.config import Config
from pilvi.ops import front, processes, state


def renew(config: Config) -> bool:
    """Says whether anything was due. The agent reads its certificate with every new connection."""
    if not state.ensure_certificates(config).changed:
        return False
    take_up(config)
    return True


def take_up(config: Config) -> None:
    """Have the front go on with the files as they are now. Connections that are open stay with its former workers."""
    front.write(config)
    processes.describe_front_anew(config)
    supervisor = processes.recorded_pid(config, "supervisor")
    if supervisor is not None:
        os.kill(supervisor, signal.SIGHUP)
