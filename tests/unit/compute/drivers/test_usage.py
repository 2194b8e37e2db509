"""What a process has used, read from /proc."""

import os
import subprocess
import sys
from pathlib import Path

from pilvi.compute.drivers.qemu import process
from pilvi.compute.drivers.qemu.process import Process

WORK = """
import os, sys
data = bytearray(40 << 20)
with open(sys.argv[1], "wb") as file:
    file.write(bytes(3 << 20)); file.flush(); os.fsync(file.fileno())
end = os.times().user + 0.3
while os.times().user < end: pass
print("ready", flush=True); sys.stdin.read()
"""


def test_a_process_tells_cpu_memory_and_disk() -> None:
    path = f"/var/tmp/pilvi-usage-{os.getpid()}"
    argv = [sys.executable, "-c", WORK, path]
    child = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        child.stdout.readline()
        ticks = process._start_ticks(child.pid)
        used = process.usage(Process(child.pid, ticks or 0))
        assert used is not None
        assert 0.2 < used.cpu_s < 60
        assert used.memory_bytes > 40 << 20
        assert used.written_bytes >= 3 << 20
        assert process.usage(Process(child.pid, 1)) is None  # Another process with its number.
    finally:
        child.communicate("")
        Path(path).unlink()
    assert process.usage(Process(child.pid, ticks or 0)) is None
