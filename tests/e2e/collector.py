"""An OTLP collector on loopback that keeps what it gets."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Collector:
    def __init__(self) -> None:
        self.text = ""
        self.spans: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        collector = self

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(self.path, self.headers["Content-Type"], body)
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, format: str, *arguments: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Take)
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take(self, path: str, kind: str, body: bytes) -> None:
        assert (path, kind) == ("/v1/traces", "application/json")
        with self._lock:
            self.text += body.decode()
            for group in json.loads(body)["resourceSpans"]:
                resource = {each["key"]: each["value"]["stringValue"] for each in group["resource"]["attributes"]}
                for scope in group["scopeSpans"]:
                    self.spans += [{**span, "service": resource["service.name"]} for span in scope["spans"]]

    def of_trace_with(self, name: str) -> list[dict[str, Any]]:
        """All spans of the trace in which a span of this name is."""
        with self._lock:
            traces = {span["traceId"] for span in self.spans if span["name"] == name}
            return [span for span in self.spans if span["traceId"] in traces]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
