"""How much one asker may ask: a bucket of tokens for each, and a bound on how many askers are remembered."""

import time
from collections import OrderedDict

_MOST_ASKERS = 4096


class Allowance:
    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def permits(self, asker: str) -> bool:
        """Takes one token of the asker's; False when there is none."""
        now = time.monotonic()
        tokens, since = self._buckets.pop(asker, (self._burst, now))
        tokens = min(self._burst, tokens + (now - since) * self._per_s)
        allowed = tokens >= 1
        self._buckets[asker] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > _MOST_ASKERS:
            self._buckets.popitem(last=False)
        return allowed
