"""What the supervisor runs once a day: certificates that are due are made anew and taken up without a pause."""

import os
import signal

from pilvi.kernel.config import Config
from pilvi.ops import front, processes, state


def renew(config: Config) -> bool:
    """Says whether anything was due. The agent reads its certificate with every new connection."""
    if not state.ensure_certificates(config).changed:
        return False
    front.write(config)
    processes.write_description(config)
    supervisor = processes.recorded_pid(config, "supervisor")
    if supervisor is not None:
        os.kill(supervisor, signal.SIGHUP)
    return True
