"""The `linux` network driver: the whole state of one host in, what became of each object out."""

import struct
import threading
from collections.abc import Mapping
from pathlib import Path

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces, nft, probe, taps
from pilvi.network.drivers.linux.plug import Plug
from pilvi.network.drivers.linux.rules import Rules
from pilvi.network.drivers.linux.spaces import Spaces, read_json, write_json
from pilvi.network.drivers.linux.turn import Past, Turn
from pilvi.network.drivers.linux.wiring import Space
from pilvi.network.drivers.protocol import (
    Capabilities,
    DriverFault,
    HostState,
    HostStatus,
    PortCounters,
)
from pilvi.network.drivers.records import BadRecord
from pilvi.network.drivers.vet import statuses, union, vet

_COUNTERS = struct.Struct("=8Q")  # rx and tx packets, rx and tx bytes, rx and tx errors, rx and tx dropped


class LinuxDriver:
    """`host_dir` is the agent's own folder of the state directory; files there survive the agent, not the host."""

    def __init__(self, *, tag: str, host_dir: Path, tap_owner_uid: int = 0) -> None:
        self._tag = tag
        self._host_dir = host_dir
        self._tap_owner_uid = tap_owner_uid
        self._spaces = Spaces(tag, host_dir)
        self._rules = Rules(host_dir)
        self._past = Past()
        self._capabilities: Capabilities | None = None
        self._applied_record = host_dir / "network-applied.json"
        self._applied = _read_state(self._applied_record)
        self._tap_of: dict[str, str] = {}
        self._lock = threading.RLock()

    def capabilities(self) -> Capabilities:
        with self._lock:
            if self._capabilities is None:
                shim, detail = probe.choose_shim(self._spaces)
                self._capabilities = Capabilities("linux", detail=(("shim", shim), *detail))
            return self._capabilities

    def reconcile(self, state: HostState, *, may_remove: bool = True) -> HostStatus:
        with self._lock:
            shim = dict(self.capabilities().detail)["shim"]
            # A partial state is completed by what was applied last: nobody loses what the state does not speak of.
            whole = state if may_remove else union(self._applied, state)
            if whole != self._applied:
                write_json(self._applied_record, whole.to_json())
                self._applied = whole
            vetted = vet(whole)
            turn = Turn(self._tag, self._spaces, self._rules, shim, self._tap_owner_uid, self._past)
            try:
                turn.run(vetted, may_remove=may_remove)
            except (OSError, namespaces.NoNamespace, nft.NftError) as error:
                raise DriverFault(f"The data plane cannot be made: {error}", retry=True) from error
            self._tap_of = {port.id: port.tap_name for port in vetted.state.ports}
            return HostStatus(statuses(state, turn.errors), turn.changes)

    def open_tap(self, port_id: str) -> int:
        with self._lock:
            tap = self._tap_of.get(port_id, names.tap_name(port_id))
            space = names.data_plane(self._tag)
            try:
                if tap not in self._spaces.open(space).links.links():
                    raise DriverFault(f"The port {port_id} is not plugged on this host yet.", retry=True)
                return namespaces.inside(space, lambda: taps.open_existing(tap))
            except (OSError, namespaces.NoNamespace) as error:
                raise DriverFault(f"Cannot open the tap of port {port_id}: {error}", retry=True) from error

    def stats(self) -> Mapping[str, PortCounters]:
        with self._lock:
            try:
                links = self._spaces.open(names.data_plane(self._tag)).links.links()
            except (OSError, namespaces.NoNamespace):
                return {}
            taps_present = {id: links[tap] for id, tap in self._tap_of.items() if tap in links}
            return {id: _counters(link.stats) for id, link in taps_present.items() if link.stats}

    def teardown(self) -> None:
        with self._lock:
            data_plane = names.data_plane(self._tag)
            if data_plane in self._spaces.present() and namespaces.is_usable(data_plane):
                # Links first: a process that still holds the namespace open must not keep them alive.
                nothing = Space(data_plane, ("host", ""), {})
                Plug(self._spaces.open(data_plane), self._spaces, 0).remove_unwanted(nothing)
            for name in sorted(self._spaces.present()):
                self._rules.forget(name)
                self._spaces.remove(name)
            self._past = Past()
            self._tap_of = {}
            self._applied = HostState()
            self._applied_record.unlink(missing_ok=True)

    def close(self) -> None:
        """Lets go of the namespaces without changing anything in them."""
        with self._lock:
            self._spaces.close_all()


def _read_state(record: Path) -> HostState:
    try:
        return HostState.from_json(read_json(record))
    except BadRecord:
        return HostState()  # Of another release: the next complete state says it all.


def _counters(stats: bytes) -> PortCounters:
    # What the host receives on a tap is what the guest sent.
    sent_packets, got_packets, sent_bytes, got_bytes, _, _, sent_dropped, got_dropped = _COUNTERS.unpack_from(stats)
    return PortCounters(got_bytes, got_packets, sent_bytes, sent_packets, got_dropped, sent_dropped)
