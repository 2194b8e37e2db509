"""The walk: what a first user does with a new cloud, step by step, with the stock client and real guests.

Every step may be repeated, so that the same walk is taken while processes are killed under it.
"""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.e2e.site import CommandFailed, Site, run, until

USER_DATA = """#!/bin/sh
echo "user-data ran on $(hostname)"
echo ran > /tmp/user-data-ran
( while true; do nc -l -p 9000 -e /bin/cat; done ) >/dev/null 2>&1 &
"""
SSH = (
    "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ConnectTimeout=10",
    "-o", "LogLevel=ERROR", "-o", "BatchMode=yes",
)  # fmt: skip
PASSWORD = "walk-secret"

FLOW = """
import socket, sys, time
s = socket.create_connection((sys.argv[1], 9000), timeout=20)
s.settimeout(5)
def echo(word):
    s.sendall(word + b"\\n")
    return s.recv(100)
print("open", echo(b"one"), flush=True)
sys.stdin.readline()
answers = 0
try:
    for _ in range(90):
        answers += bool(echo(b"more"))
        time.sleep(1)
    print("alive after", answers, "answers", flush=True)
except OSError as error:
    print("cut after", answers, "answers:", error, flush=True)
"""


class Walk:
    def __init__(self, site: Site, folder: Path, *, patience: int = 1) -> None:
        """`patience`: how often a command is tried; more than once where processes are killed meanwhile."""
        self.site = site
        self.folder = folder
        self.patience = patience
        self.user = {"OS_USERNAME": "walker", "OS_PASSWORD": PASSWORD, "OS_PROJECT_NAME": "walk"}
        self.key = folder / "id_ed25519"
        self.address = ""
        self.fixed_ip_seen: dict[str, str] = {}

    # -- small words -----------------------------------------------------------------------------------------------

    def os(self, *words: str, show: bool = True) -> Any:
        return self._patiently(lambda: self.site.openstack(*words, user=self.user, show=show))

    def admin(self, *words: str, show: bool = True) -> Any:
        return self._patiently(lambda: self.site.openstack(*words, show=show))

    def _patiently(self, work: Callable[[], Any]) -> Any:
        for attempt in range(self.patience):
            try:
                return work()
            except CommandFailed:
                if attempt == self.patience - 1:
                    raise
                time.sleep(1.0)
        raise AssertionError("unreachable")

    def made(self, kind: str, name: str, *words: str, admin: bool = False) -> Any:
        """Make a thing that has a name; where an answer was lost, the thing itself says whether it was made."""
        user = None if admin else self.user
        for attempt in range(self.patience):
            try:
                return self.site.openstack(*kind.split(), "create", *words, name, user=user)
            except CommandFailed:
                try:
                    return self.site.openstack(*kind.split(), "show", name, user=user)
                except CommandFailed:
                    if attempt == self.patience - 1:
                        raise
                    time.sleep(1.0)
        raise AssertionError("unreachable")

    def wait_status(self, name: str, status: str, *, limit_s: float = 240) -> dict[str, Any]:
        def look() -> Any:
            found = self.os("server", "show", name)
            assert found["status"] == status or found["status"] != "ERROR", json.dumps(found, indent=1)
            return found if found["status"] == status else None

        found: dict[str, Any] = until(look, f"{name} {status}", limit_s=limit_s, every_s=0.5)
        return found

    def ssh(self, command: str, *, check: bool = True, timeout_s: float = 60) -> str:
        """In server `one`, from the world outside, through its floating IP."""
        argv = ["ssh", *SSH, "-i", str(self.key), f"cirros@{self.address}", command]
        return self.site.inside("x", *argv, check=check, timeout_s=timeout_s).stdout.strip()

    # -- the steps -------------------------------------------------------------------------------------------------

    def take(self) -> None:
        for step in (*self.steps_under_fire(), self.delete, self.nothing_left):
            step()

    def steps_under_fire(self) -> list[Callable[[], None]]:
        """Everything but deleting: that is asked once more when the fire has stopped."""
        return [
            self.account, self.image_and_key, self.network, self.servers, self.console, self.reach, self.metadata,
            self.rules, self.spoofing, self.power, self.config_drive, self.impossible, self.quota,
        ]  # fmt: skip

    def account(self) -> None:
        self.made("project", "walk", admin=True)
        self.made("user", "walker", "--password", PASSWORD, "--project", "walk", admin=True)
        self.admin("role", "add", "--project", "walk", "--user", "walker", "member", show=False)

    def image_and_key(self) -> None:
        from tests.e2e.site import TINY

        image = self.made(
            "image", "walk-tiny", "--disk-format", "qcow2", "--container-format", "bare", "--file", str(TINY)
        )
        until(
            lambda: self.os("image", "show", image["id"])["status"] == "active" or self._upload(image["id"]),
            "the image",
        )
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)])
        self.made("keypair", "walk-key", "--public-key", f"{self.key}.pub")

    def _upload(self, image_id: str) -> None:
        """An upload that was cut leaves the image queued: it can be sent again."""
        from tests.e2e.site import TINY

        if self.patience > 1:
            try:
                self.site.openstack("image", "stage", "--file", str(TINY), image_id, user=self.user, show=False)
                self.site.openstack("image", "import", image_id, user=self.user, show=False)
            except CommandFailed:
                return

    def network(self) -> None:
        self.made("network", "walk-net")
        self.made("subnet", "walk-subnet", "--network", "walk-net", "--subnet-range", "10.0.0.0/24")
        self.made("router", "walk-router")
        self.os("router", "set", "--external-gateway", "public", "walk-router", show=False)
        if not self.os("port", "list", "--router", "walk-router", "--network", "walk-net"):
            self.os("router", "add", "subnet", "walk-router", "walk-subnet", show=False)
        self.made("security group", "walk-group")
        self._rule("--protocol", "icmp")
        self._rule("--protocol", "tcp", "--dst-port", "22")

    def _rule(self, *words: str) -> None:
        try:
            self.site.openstack("security", "group", "rule", "create", *words, "walk-group", user=self.user)
        except CommandFailed as failed:
            if "already exists" in failed.output or "409" in failed.output:
                return
            if self.patience == 1:
                raise
            time.sleep(1.0)
            self._rule(*words)

    def servers(self) -> None:
        script = self.folder / "user-data"
        script.write_text(USER_DATA)
        for name in ("one", "two"):
            self._boot(name, "--user-data", str(script))
        for name in ("one", "two"):
            self.wait_status(name, "ACTIVE")

    def _boot(self, name: str, *words: str, flavor: str = "m1.nano") -> Any:
        return self.made(
            "server", name, "--image", "walk-tiny", "--flavor", flavor, "--network", "walk-net", "--key-name",
            "walk-key", "--security-group", "walk-group", *words,
        )  # fmt: skip

    def console(self) -> None:
        for name in ("one", "two"):
            until(lambda name=name: "login:" in self._console(name), f"the login prompt of {name}", limit_s=300)  # type: ignore[misc]

    def _console(self, name: str) -> str:
        return str(self.os("console", "log", "show", name, show=False))

    def reach(self) -> None:
        address = self._floating_ip()
        self.address = address
        if address not in json.dumps(self.os("server", "show", "one")["addresses"]):
            self.os("server", "add", "floating", "ip", "one", address, show=False)
        until(lambda: self.ssh("echo here", check=False) == "here", "ssh through the floating IP", limit_s=180)
        two = self.fixed_ip("two")
        until(lambda: "ok" in self.ssh(f"ping -c 1 -W 5 {two} >/dev/null && echo ok", check=False), "one pings two")

    def _floating_ip(self) -> str:
        found = self.os("floating", "ip", "list")
        if not found:
            self.os("floating", "ip", "create", "public")
            found = self.os("floating", "ip", "list")
        return str(found[0]["Floating IP Address"])

    def fixed_ip(self, name: str) -> str:
        addresses = self.os("server", "show", name)["addresses"]["walk-net"]
        found = next(str(a) for a in addresses if str(a).startswith("10.0.0."))
        self.fixed_ip_seen[name] = found
        return found

    def metadata(self) -> None:
        assert self.ssh("hostname") == "one"
        text = self.ssh("timeout 10 wget -q -O - http://169.254.169.254/openstack/latest/meta_data.json")
        server = self.os("server", "show", "one")
        document = json.loads(text)
        assert (document["uuid"], document["name"]) == (server["id"], "one")
        assert self.ssh("timeout 10 wget -q -O - http://169.254.169.254/latest/meta-data/local-ipv4") == self.fixed_ip(
            "one"
        )
        assert self.ssh("cat /tmp/user-data-ran") == "ran"
        sent = self.ssh("timeout 10 wget -q -O - http://169.254.169.254/openstack/latest/user_data | base64")
        assert base64.b64decode(sent).decode() == USER_DATA

    def rules(self) -> None:
        probe = [
            "python3",
            "-c",
            "import socket,sys; socket.create_connection((sys.argv[1], 9000), timeout=5)",
            self.address,
        ]
        assert self.site.inside("x", *probe, check=False).returncode != 0, "port 9000 is open without a rule"
        self._rule("--protocol", "tcp", "--dst-port", "9000")
        until(lambda: self.site.inside("x", *probe, check=False).returncode == 0, "port 9000 opens", limit_s=60)
        flow = self._flow()
        rules = self.os("security", "group", "rule", "list", "walk-group", "--long")
        rule = next(r for r in rules if "9000" in str(r["Port Range"]))
        self.os("security", "group", "rule", "delete", rule["ID"], show=False)
        # A busy guest misses a probe too, and the agent may be dead at the moment: what counts is that the flow ends.
        until(lambda: self.site.inside("x", *probe, check=False).returncode != 0, "port 9000 closes", limit_s=60)
        out, _ = flow.communicate("\n", timeout=120)
        assert "cut" in out, f"an established flow outlived its rule: {out}"

    def _flow(self) -> Any:
        import subprocess

        name = f"pv{self.site.tag}-x"
        argv = ["nsenter", f"--net=/run/netns/{name}", "python3", "-c", FLOW, self.address]
        flow = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert flow.stdout is not None
        first = flow.stdout.readline()
        assert first.startswith("open"), first
        return flow

    def spoofing(self) -> None:
        two = self.fixed_ip("two")
        self.ssh("ip addr add 10.0.0.222/32 dev eth0 2>/dev/null || true")
        lost = self.ssh(f"ping -I 10.0.0.222 -c 2 -W 2 {two} >/dev/null 2>&1 && echo through || echo dropped")
        assert lost == "dropped", "a spoofed source address reached the other guest"
        assert "ok" in self.ssh(f"ping -c 1 -W 5 {two} >/dev/null && echo ok")
        self.ssh("ip addr del 10.0.0.222/32 dev eth0 || true")

    def power(self) -> None:
        self.os("server", "stop", "two", show=False)
        self.wait_status("two", "SHUTOFF")
        self.os("server", "start", "two", show=False)
        self.wait_status("two", "ACTIVE")
        before = self.ssh("cat /proc/sys/kernel/random/boot_id")
        self.os("server", "reboot", "one", show=False)
        self.wait_status("one", "ACTIVE")

        def rebooted() -> bool:
            now = self.ssh("cat /proc/sys/kernel/random/boot_id", check=False)
            return bool(now) and now != before

        until(rebooted, "one comes back from its reboot", limit_s=240)
        two = self.fixed_ip("two")
        until(lambda: "ok" in self.ssh(f"ping -c 1 -W 5 {two} >/dev/null && echo ok", check=False), "two is back")

    def config_drive(self) -> None:
        self._boot("three", "--config-drive", "True")
        server = self.wait_status("three", "ACTIVE")
        assert str(server["config_drive"]) == "True"
        until(lambda: "datasource=configdrive" in self._console("three"), "three reads its drive", limit_s=300)

    def impossible(self) -> None:
        self.made("flavor", "walk.huge", "--vcpus", "1", "--ram", "192", "--disk", "100000", admin=True)
        self._boot("impossible", flavor="walk.huge")

        def failed() -> Any:
            found = self.os("server", "show", "impossible")
            return found if found["status"] == "ERROR" else None

        server = until(failed, "an impossible server fails")
        assert "the flavor asks for 100000 GiB of disk" in str(server["fault"]), server["fault"]
        assert self.site.count("compute_servers", "name = 'impossible' and host is not null") == 0
        self.os("server", "delete", "impossible", show=False)

    def quota(self) -> None:
        self.admin("quota", "set", "--instances", "3", "walk", show=False)
        words = ("--image", "walk-tiny", "--flavor", "m1.nano", "--network", "walk-net", "four")

        def refusal() -> str:
            try:
                self.site.openstack("server", "create", *words, user=self.user)
            except CommandFailed as failed:
                return failed.output if "403" in failed.output else ""
            raise AssertionError("a fourth server was let in")

        text = until(refusal, "the quota refuses a fourth server", limit_s=60)
        assert "Requested 1, but already used 3 of 3" in text, text

    def delete(self) -> None:
        for server in self.os("server", "list"):
            self._gone("server", server["Name"])
        until(lambda: not self.os("server", "list"), "the servers are gone", limit_s=180)
        self.os("floating", "ip", "delete", self.address, show=False)
        self.os("router", "remove", "subnet", "walk-router", "walk-subnet", show=False)
        for kind, name in (
            ("router", "walk-router"), ("network", "walk-net"), ("security group", "walk-group"),
            ("keypair", "walk-key"), ("image", "walk-tiny"),
        ):  # fmt: skip
            self._gone(kind, name)
        for kind, name in (("flavor", "walk.huge"), ("user", "walker"), ("project", "walk")):
            if kind != "flavor" or self.patience > 1 or name in json.dumps(self.admin("flavor", "list", "--all")):
                self._gone(kind, name, admin=True)

    def _gone(self, kind: str, name: str, *, admin: bool = False) -> None:
        user = None if admin else self.user
        for _ in range(self.patience):
            try:
                self.site.openstack(*kind.split(), "delete", name, user=user, show=False)
            except CommandFailed as failed:
                if any(word in failed.output for word in ("exists", "could not be found", "No ")):
                    return
                if self.patience == 1:
                    raise
                time.sleep(1.0)
            else:
                return

    def nothing_left(self) -> None:
        """No process, namespace, tap, rule element, file or row speaks of what was deleted."""
        site = self.site
        until(lambda: not site.guests(), "no guest process is left", limit_s=60)
        until(
            lambda: set(site.namespaces()) <= {"dp", "x"}, f"routers and services go: {site.namespaces()}", limit_s=60
        )
        links = json.loads(site.inside("dp", "ip", "-j", "link").stdout)
        taps = [link["ifname"] for link in links if link["ifname"].startswith("tap")]
        assert taps == []
        rules = site.inside("dp", "nft", "list", "ruleset").stdout
        assert "10.0.0." not in rules, rules
        guests = site.state / "host" / "guests"
        assert [path.name for path in guests.iterdir() if path.name != ".lock"] == []
        until(
            lambda: not list((site.state / "images").glob("**/*-*")) or self._only_public(),
            "the image's file goes",
            limit_s=60,
        )
        for table in ("compute_servers", "placement_allocations", "network_routers", "network_floating_ips"):
            assert site.count(table) == 0, table
        until(lambda: site.count("kernel_work") == 0, "no work row is left", limit_s=60)

    def _only_public(self) -> bool:
        return self.site.count("image_images", "status <> 'deleted'") == 1
