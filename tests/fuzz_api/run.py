"""The long walk, for a person: `python -m tests.fuzz_api.run --requests 20000`."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from pilvi.kernel import log
from pilvi.ops.openapi.document import TITLES
from tests.fuzz_api.walk import Walk


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_api.run", description=__doc__)
    parser.add_argument("--service", action="append", choices=list(TITLES), help="one of them; all without it")
    parser.add_argument("--requests", type=int, default=20000, help="for each service")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    broken = False
    for service in asked.service or TITLES:
        with tempfile.TemporaryDirectory(prefix="pilvi-fuzz-") as folder:
            log.configure("api", Path(folder) / "log", level="error")
            started = time.monotonic()
            report = Walk(service, Path(folder), asked.seed).run(asked.requests)
            print(f"{service}: {report}({time.monotonic() - started:.0f} s)", flush=True)
            broken = broken or bool(report.findings)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
