"""How spans leave a process: OTLP over HTTP as JSON, to the collector that the configuration names."""

from typing import Final

from pilvi.kernel import tracing
from pilvi.kernel.config import Config
from pilvi.kernel.tracing import Send, Tracer

SEND_TIMEOUT_S: Final = 5.0


def sender(endpoint: str) -> Send:
    """Posts one batch. Raises OSError when the collector is away or refuses it."""
    from urllib.request import Request, urlopen  # A megabyte that processes without traces do not need.

    url = f"{endpoint.rstrip('/')}/v1/traces"

    def send(body: bytes) -> None:
        request = Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 the configuration checks it
        with urlopen(request, timeout=SEND_TIMEOUT_S) as answer:  # noqa: S310
            answer.read(65536)

    return send


def start(config: Config, process: str) -> bool:
    """Spans of this process go out from now on; False, and nothing is done, where no collector is configured."""
    endpoint = config.tracing.endpoint
    if not endpoint:
        return False
    tracer = Tracer(process, config.host, sender(endpoint))
    tracer.start()
    tracing.use(tracer)
    return True
