"""Whatever may go wrong, one thing at a time or several at once, each for a while."""

from collections.abc import Callable

from pilvi.compute.drivers.protocol import DriverFault
from tests.sim.host import Host
from tests.sim.scheduler import Doom, Process
from tests.sim.world import World

API_STEPS = ("db begin", "db before commit", "db commit", "db read", "db commit")
HOST_STEPS = ("driver", "driver define", "driver power_on", "driver destroy", "driver network", "send", "download",
              "remember")  # fmt: skip
LIVE_STEPS = ("db begin", "db before commit", "db commit", "disk write", "disk keep", "disk kept", "fetch", "piece")
CALLS = ("guests", "define", "power_on", "power_off", "reboot", "pause", "resume", "destroy")


class Faults:
    def __init__(self, world: World) -> None:
        self.world = world
        self.rng = world.rng
        self.pause_s = self.rng.choice((0.5, 2.0, 6.0))
        self.stopping = False
        self.count: dict[str, int] = {}

    def start(self) -> None:
        self.world.scheduler.spawn("faults", self._go_on)

    def _go_on(self) -> None:
        kinds, weights = list(WEIGHTS), list(WEIGHTS.values())
        while not self.stopping:
            self.world.scheduler.sleep(self.rng.expovariate(1 / self.pause_s))
            if not self.stopping:
                kind = self.rng.choices(kinds, weights)[0]
                self.count[kind] = self.count.get(kind, 0) + 1
                self.world.scheduler.say("fault", kind)
                getattr(self, kind)()

    def _host(self) -> Host:
        return self.rng.choice(list(self.world.hosts.values()))

    def _after(self, most_s: float, mend: Callable[[], None]) -> None:
        self.world.scheduler.later(self.rng.uniform(0.01, most_s), mend)

    # -- processes -------------------------------------------------------------------------------------------------

    def api_dies(self) -> None:
        self.world.scheduler.kill(self.rng.choice(list(self.world.apis.values())).process)
        self._after(8.0, self._start_apis)

    def api_is_doomed(self) -> None:
        """At one of its next steps: before a commit, or between it and the answer."""
        process = self.rng.choice(list(self.world.apis.values())).process
        process.doom = Doom(self.rng.choice(API_STEPS), self.rng.randrange(1, 6))
        self._after(8.0, self._start_apis)

    def _start_apis(self) -> None:
        for name, api in list(self.world.apis.items()):
            api.process.doom = None
            if not api.process.alive:
                self.world.start_api(name)

    def agent_dies(self) -> None:
        host = self._host()
        host.agent_dies()
        self._after(15.0, lambda: self._start(host))

    def agent_is_doomed(self) -> None:
        host = self._host()
        if host.process is not None:
            host.process.doom = Doom(self.rng.choice(HOST_STEPS), self.rng.randrange(1, 4))
            self._after(15.0, lambda: self._start(host))

    def _start(self, host: Host) -> None:
        if host.process is not None:
            host.process.doom = None
        if not host.alive:
            host.start()

    def power_fails(self) -> None:
        host = self._host()
        host.power_fails()
        self._after(90.0, lambda: self._start(host))

    def live_dies(self) -> None:
        if self.world.live is not None:
            self.world.scheduler.kill(self.world.live.process)
        self._after(8.0, self._start_live)

    def live_is_doomed(self) -> None:
        """Over somebody's bytes: before or after they are on the disk, before or after the row says so."""
        if self.world.live is not None:
            self.world.live.process.doom = Doom(self.rng.choice(LIVE_STEPS), self.rng.randrange(1, 4))
        self._after(8.0, self._start_live)

    def _start_live(self) -> None:
        live = self.world.live
        if live is not None:
            live.process.doom = None
            if not live.process.alive:
                self.world.start_live()

    # -- lines -----------------------------------------------------------------------------------------------------

    def a_line_is_cut(self) -> None:
        """Both ways, or only one: then one side believes that all is well."""
        apis = list(self.world.apis)
        pairs = [(api, host) for api in apis for host in self.world.hosts]
        pairs += [(api, "database") for api in apis] + [("client", api) for api in apis]
        pairs += [("live", host) for host in self.world.hosts] + [("live", api) for api in apis]
        pairs += [("live", "database"), ("client", "live")]
        one, other = self.rng.choice(pairs)
        ways = self.rng.choice(({(one, other)}, {(other, one)}, {(one, other), (other, one)}))
        self.world.wire.cut |= ways
        self._after(40.0, lambda: self.world.wire.cut.difference_update(ways))

    def a_host_is_cut_off(self) -> None:
        host = self._host().name
        others = [*self.world.apis, "live"]
        ways = {(host, other) for other in others} | {(other, host) for other in others}
        self.world.wire.cut |= ways
        self._after(80.0, lambda: self.world.wire.cut.difference_update(ways))

    def the_wire_is_bad(self) -> None:
        wire, rng = self.world.wire, self.rng
        wire.loss, wire.slow, wire.double = rng.random() * 0.3, rng.random() * 0.4, rng.random() * 0.4
        self._after(30.0, self._wire_is_good)

    def _wire_is_good(self) -> None:
        self.world.wire.loss = self.world.wire.slow = self.world.wire.double = 0.0

    def the_database_fails(self) -> None:
        name, line = self.rng.choice([*self.world.apis, "live"]), self.rng.choice(("away", "deaf", "full"))
        if name == "live":
            self.world.live_line = line
        else:
            self.world.apis[name].line = line
        self._after(10.0, self._database_works)

    def _database_works(self) -> None:
        self.world.live_line = ""
        for api in self.world.apis.values():
            api.line = ""

    # -- clocks ----------------------------------------------------------------------------------------------------

    def a_clock_jumps(self) -> None:
        """Seconds mostly, hours at times, back and forth."""
        seconds = self.rng.choice((1.0, 10.0, 100.0, 1000.0)) * self.rng.uniform(-1.0, 1.0)
        host = self._host()
        process: Process | None = host.process
        if self.rng.random() < 0.5:
            process = self.rng.choice([*self.world.wire.apis, self.world.wire.live])
        if process is not None:
            process.clock_offset_s += seconds
            process.clock_was_wrong = True

    # -- drivers ---------------------------------------------------------------------------------------------------

    def a_call_fails(self) -> None:
        host, call = self._host(), self.rng.choice(CALLS)
        fault = self.rng.choice((
            DriverFault("It did not work this time.", retry=True), DriverFault("It cannot work.", retry=False),
            RuntimeError("a bug in the driver"), OSError(28, "No space left on device"),
        ))  # fmt: skip
        if call == "guests":
            fault = DriverFault("The guests cannot be listed.", retry=True)
        if self.rng.random() < 0.3 and isinstance(fault, DriverFault) and call != "guests":
            host.hypervisor.after.setdefault(call, []).append(DriverFault("Nobody knows whether.", retry=True))
        else:
            host.hypervisor.faults.setdefault(call, []).extend([fault] * self.rng.choice((1, 1, 2, 7)))

    def calls_are_slow(self) -> None:
        host = self._host()
        host.hypervisor.delay_s = self.rng.choice((0.1, 1.0, 10.0, 40.0))
        self._after(60.0, lambda: setattr(host.hypervisor, "delay_s", 0.0))

    def the_network_driver_fails(self) -> None:
        host = self._host()
        if self.rng.random() < 0.5:
            host.network.outage = "netlink is away"
            self._after(20.0, lambda: setattr(host.network, "outage", None))
        else:
            state = host.network_host.state
            kinds = {"network": state.networks, "port": state.ports, "security_group": state.security_groups,
                     "router": state.routers}  # fmt: skip
            objects = [(kind, one.id) for kind, found in kinds.items() for one in found]
            objects += [("floating_ip", one.id) for router in state.routers for one in router.floating_ips]
            if objects:
                host.network.faults[self.rng.choice(objects)] = "the kernel said no"
                self._after(30.0, host.network.faults.clear)

    def the_network_driver_is_slow(self) -> None:
        host = self._host()
        host.network.delay_s = self.rng.choice((0.5, 5.0, 20.0))
        self._after(60.0, lambda: setattr(host.network, "delay_s", 0.0))

    def bytes_are_damaged(self) -> None:
        """On their way from a store to a host."""
        host = self._host()
        host.damages = True
        self._after(20.0, lambda: setattr(host, "damages", False))

    def the_disk_is_full(self) -> None:
        host = self._host()
        host.disk_full = True
        self._after(40.0, lambda: setattr(host, "disk_full", False))

    def the_disk_of_images_is_full(self) -> None:
        self.world.disk.is_full = True
        self._after(20.0, lambda: setattr(self.world.disk, "is_full", False))

    # -- guests ----------------------------------------------------------------------------------------------------

    def a_guest_ends(self) -> None:
        host = self._host()
        running = sorted(
            id for id, guest in host.hypervisor._guests.items() if guest.observed.power in ("on", "paused")
        )
        if running:
            id = self.rng.choice(running)
            if self.rng.random() < 0.5:
                host.hypervisor.guest_shuts_down(id)
            else:
                host.hypervisor.guest_crashes(id)
            host.look()

    # -- the end of it ---------------------------------------------------------------------------------------------

    def heal(self) -> None:
        """Nothing disturbs any more, and whatever was down comes back."""
        self.stopping = True
        self.world.wire.cut.clear()
        self._wire_is_good()
        self._database_works()
        self._start_apis()
        self._start_live()
        self.world.disk.is_full = False
        for process in (*self.world.wire.apis, self.world.wire.live):
            if process is not None:
                process.clock_offset_s = 0.0
        for host in self.world.hosts.values():
            host.hypervisor.faults.clear()
            host.hypervisor.after.clear()
            host.hypervisor.delay_s = 0.0
            host.network.outage = None
            host.network.faults.clear()
            host.network.delay_s = 0.0
            host.disk_full = host.damages = False
            host.clock_offset_s = 0.0
            self._start(host)
            if host.process is not None:
                host.process.clock_offset_s = 0.0


WEIGHTS: dict[str, float] = {
    "api_dies": 1.0, "api_is_doomed": 2.0, "agent_dies": 1.0, "agent_is_doomed": 2.0, "power_fails": 0.7,
    "a_line_is_cut": 1.5, "a_host_is_cut_off": 0.7, "the_wire_is_bad": 1.5, "the_database_fails": 1.0,
    "a_clock_jumps": 0.8, "a_call_fails": 2.5, "calls_are_slow": 0.8, "the_network_driver_fails": 0.8,
    "the_disk_is_full": 0.5, "a_guest_ends": 2.0, "live_dies": 0.7, "live_is_doomed": 1.5,
    "the_disk_of_images_is_full": 0.5, "the_network_driver_is_slow": 0.5, "bytes_are_damaged": 0.5,
}  # fmt: skip
"""How often what happens."""
