"""What people do: `load.py` puts together who does what, the other files are one kind of doing each."""

from tests.sim.workload.endings import LATE_ENDINGS
from tests.sim.workload.load import Workload

__all__ = ["LATE_ENDINGS", "Workload"]
