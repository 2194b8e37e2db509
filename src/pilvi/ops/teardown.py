"""`down`: processes stop, guests shut down; `--purge` also removes every trace of the cloud from this machine."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from pilvi.compute.drivers.protocol import DriverFault, Hypervisor
from pilvi.kernel.config import Config
from pilvi.network.drivers.protocol import DriverFault as NetworkFault
from pilvi.ops import processes
from pilvi.ops.drivers import hypervisor, network_driver
from pilvi.ops.progress import Outcome, Progress, Say, StepFailed

GRACE_S: Final = 30.0  # For a guest to shut itself down before its plug is pulled.
AT_ONCE: Final = 4
OURS: Final = ("pilvi.toml", "clouds.yaml", "cloud.db*", ".*.[0-9]*")
OUR_FOLDERS: Final = ("images", "cache", "host", "log", "run", "secrets", "ca")


def run(config: Config, progress: Progress, *, purge: bool) -> None:
    progress.step("Processes", lambda _say: _stop_processes(config))
    progress.step("Guests", lambda say: _stop_guests(hypervisor(config), say, destroy=purge))
    if purge:
        progress.step("Network", lambda _say: _remove_network(config))
        progress.step("Files", lambda _say: _remove_files(config))


def _stop_processes(config: Config) -> Outcome:
    stopped = processes.stop_all(config)
    return Outcome(bool(stopped), f"stopped {', '.join(stopped)}" if stopped else "none ran")


def _stop_guests(driver: Hypervisor, say: Say, *, destroy: bool) -> Outcome:
    """All at once, a few at a time; a purge pulls the plug, for what is lost is lost anyway."""
    guests = driver.guests()
    chosen = [guest.id for guest in guests.values() if destroy or guest.power in ("on", "paused")]
    if not chosen:
        return Outcome(False, "none here" if destroy else "none run")
    say(f"{'removing' if destroy else 'shutting down'} {len(chosen)}")

    def end(guest_id: str) -> str:
        try:
            driver.power_off(guest_id, timeout_s=0.0 if destroy else GRACE_S)
            if destroy:
                driver.destroy(guest_id)
        except DriverFault as fault:
            return f"{guest_id}: {fault.message}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        failures = list(filter(None, pool.map(end, chosen)))
    if failures:
        raise StepFailed(f"Some guests would not end, run the command again: {'; '.join(failures)}")
    return Outcome(True, f"{'removed' if destroy else 'shut down'} {len(chosen)}")


def _remove_network(config: Config) -> Outcome:
    try:
        network_driver(config).teardown()
    except NetworkFault as fault:
        raise StepFailed(f"The network cannot be removed: {fault}. Run the command again.") from fault
    return Outcome(True, f"namespaces pv{config.cloud.tag}-* are gone")


def _remove_files(config: Config) -> Outcome:
    """Only what we made; a stranger's file stays, and its folder with it. The configuration goes last: until
    then the command can be run again."""
    root = config.cloud.state_dir
    for name in OUR_FOLDERS:
        shutil.rmtree(root / name, ignore_errors=True)
    for pattern in reversed(OURS):
        for path in root.glob(pattern):
            path.unlink(missing_ok=True)
    left = sorted(path.name for path in root.iterdir())
    if left:
        return Outcome(True, f"{root} keeps what is not ours: {', '.join(left[:10])}")
    root.rmdir()
    return Outcome(True, f"{root} is gone")
