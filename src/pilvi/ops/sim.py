"""`pilvi sim`: the simulated cloud of tests/sim, from the command line. It needs the source tree, as the tests do."""

import os
import subprocess
import sys
from collections.abc import Sequence

from pilvi.ops.gates import ROOT
from pilvi.ops.progress import StepFailed


def run(words: Sequence[str]) -> int:
    """One order of hashes for all, so that a seed means the same everywhere."""
    if not (ROOT / "tests" / "sim").is_dir():
        raise StepFailed("The simulation is part of the source tree; run ./pilvi there.")
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": path}
    argv = [sys.executable, "-m", "tests.sim", *words]
    return subprocess.run(argv, cwd=ROOT, env=environment, check=False).returncode
