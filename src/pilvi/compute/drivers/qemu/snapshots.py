"""A guest's root disk as one file of its own, as it was at one moment, whether the guest runs or not.

The file is made before QEMU or qemu-img opens it, for neither may make files in the guest's directory. Both read the
disk as the guest's own user, by a chain that names every file: what stands in a disk's header leads nowhere.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pilvi.compute.drivers import tool
from pilvi.compute.drivers.protocol import DriverFault, GuestSpec
from pilvi.compute.drivers.qemu import argv
from pilvi.compute.drivers.qemu.monitor import Monitor
from pilvi.compute.drivers.qemu.process import Process, is_alive
from pilvi.compute.drivers.qemu.qmp import Qmp, QmpFault

FILE: Final = "snapshot.qcow2"
NODE = JOB = "snapshot"
LOOK_EVERY_S: Final = 0.2
CANCEL_TIMEOUT_S: Final = 30.0


def prepare(directory: Path, size_bytes: int, uid: int) -> Path:
    """An empty qcow2 of this size that the guest's user may write. What an interrupted attempt left goes."""
    path = directory / FILE
    path.unlink(missing_ok=True)
    tool.run(["qemu-img", "create", "-q", "-f", "qcow2", FILE, str(size_bytes)], directory=directory)
    if os.geteuid() == 0:
        os.chown(path, uid, uid)
    return path


def of_stopped(directory: Path, spec: GuestSpec, uid: int) -> None:
    source = "json:" + json.dumps(argv.root_chain(spec), separators=(",", ":"))
    words = ["qemu-img", "convert", "-n", "--target-is-zero", "-O", "qcow2", source, FILE]
    tool.run(words, directory=directory, uid=uid if os.geteuid() == 0 else None)


def of_running(monitor: Monitor, process: Process, hurry: Callable[[], bool]) -> None:
    """QEMU copies the disk as it is now while the guest writes on; what it overwrites is copied first."""
    with monitor.connection() as qmp:
        file = {"driver": "file", "filename": FILE}
        qmp.execute("blockdev-add", node_name=NODE, driver="qcow2", file=file)
        qmp.execute("blockdev-backup", job_id=JOB, device=argv.ROOT_NODE, target=NODE, sync="full", auto_dismiss=False)
    try:
        while _is_under_way(monitor):
            if hurry():
                raise DriverFault("The image was given up: the server is to go.", retry=True)
            if not is_alive(process):
                raise DriverFault("The guest's process ended while its disk was copied.", retry=True)
            time.sleep(LOOK_EVERY_S)
    finally:
        with contextlib.suppress(QmpFault):  # a process that is gone has no jobs
            clear(monitor)


def _is_under_way(monitor: Monitor) -> bool:
    """Raises what went wrong with the copy."""
    with monitor.connection() as qmp:
        job = _job(qmp)
    if job is None:
        raise DriverFault("The copy of the disk was given up by QEMU.", retry=True)
    if job.get("status") != "concluded":
        return True
    if job.get("error"):
        raise DriverFault("The disk could not be copied.", retry=True, detail=str(job["error"]))
    return False


def _job(qmp: Qmp) -> dict[str, object] | None:
    found: list[dict[str, object]] = [job for job in qmp.execute("query-jobs") if job.get("id") == JOB]
    return found[0] if found else None


def clear(monitor: Monitor) -> None:
    """No job and no open file of ours is left in QEMU, whatever an earlier attempt came to."""
    deadline = time.monotonic() + CANCEL_TIMEOUT_S
    while True:
        with monitor.connection() as qmp:
            job = _job(qmp)
            if job is not None and job.get("status") == "concluded":
                qmp.execute("job-dismiss", id=JOB)
                job = None
            if job is None:
                if any(node.get("node-name") == NODE for node in qmp.execute("query-named-block-nodes", flat=True)):
                    qmp.execute("blockdev-del", node_name=NODE)
                return
            with contextlib.suppress(QmpFault):  # it may just have ended
                qmp.execute("job-cancel", id=JOB)
        if time.monotonic() > deadline:
            raise DriverFault("QEMU does not give up an earlier copy of the disk.", retry=True)
        time.sleep(LOOK_EVERY_S)
