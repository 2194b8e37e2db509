"""POSTs with an `Idempotency-Key`, sent again when the answer was lost, or just so: one thing is made, and the answer
stays the same byte for byte."""

from collections.abc import Callable
from typing import Any

from tests.sim.wire import Lost, Reply
from tests.sim.world import World

Ask = Callable[..., Reply]
MOST = 20
NOT_FOR = ("/identity/v3/auth", "/identity/v3/ec2tokens", "/identity/v3/s3tokens", "/identity/v3/OS-OAUTH1")
"""They take no key: nobody may be there yet to whom it could belong, or they change nothing."""


ONLY_READS = "os-getConsoleOutput"


class Once:
    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng
        self._former: list[tuple[str, str, Any, dict[str, str], Reply]] = []
        self.replays = 0

    def fits(self, path: str, body: Any) -> bool:
        return not path.startswith(NOT_FOR) and not (isinstance(body, dict) and ONLY_READS in body)

    def ask(self, ask: Ask, who: str, path: str, body: Any, headers: dict[str, str]) -> Reply:
        """As a client with patience does it: no answer, or none that says what became of it, is asked for again."""
        headers = {**headers, "Idempotency_Key": f"{self._rng.getrandbits(128):032x}"}
        reply: Reply | None = None
        for _ in range(3):
            try:
                again = ask(who, "POST", path, body, **headers)
            except Lost:
                continue
            if reply is not None:
                self._compare(path, reply, again)
            if again.status < 300:
                reply = again
            if again.status < 500 and self._rng.random() < 0.7:
                break
        if reply is None:
            raise Lost("no answer to any try")
        self._former = [*self._former, (who, path, body, headers, reply)][-MOST:]
        return reply

    def replay(self, ask: Ask) -> None:
        """Something of long ago, once more."""
        if self._former:
            who, path, body, headers, reply = self._rng.choice(self._former)
            self._compare(path, reply, ask(who, "POST", path, body, **headers))

    def _compare(self, path: str, first: Reply, again: Reply) -> None:
        if first.status >= 300 or again.status >= 500 or again.status == 401:
            return
        self.replays += 1
        same = (again.status, again.content) == (first.status, first.content)
        if not same or "true" not in (again.headers.get(name) for name in again.headers if "replayed" in name.lower()):
            self._world.violate(
                "a key is carried out once",
                f"POST {path}: {first.status} {first.content[:200]!r}, then {again.status} {again.content[:200]!r}",
            )
