"""Sends what schemathesis makes and keeps what went wrong: an answer of 5xx, or one that the document does not know."""

import json
import random
import shutil
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import jsonschema_rs
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import GenerationMode
from schemathesis.core import NotSet

from pilvi import main
from pilvi.image.images.wire import JSON_PATCH, OLD_JSON_PATCH
from pilvi.kernel import wire
from pilvi.kernel.config import CloudConfig, Config
from pilvi.kernel.db import connect
from pilvi.ops.openapi.document import document
from tests.contract.client import Client, Reply
from tests.contract.conftest import furnish_template, open_cloud
from tests.fuzz_api.furniture import LISTS, WISHES, WORDS, filled, server
from tests.fuzz_api.pool import Pool

REAL: Final = {"delete": 0.3}
"""How often a path names something that there is: rarely where it is gone afterwards."""
EXAMPLES: Final = {"post": 6, "delete": 1}
"""Of one operation before the next has its turn: a life of many small steps, with more made than deleted."""
FRESH_AFTER: Final = 500
"""Requests to one cloud; then a new one, because its administrators may have locked themselves out by halves."""
EXPECTED: Final = (501, 503)
schemathesis.serializer.alias([JSON_PATCH, OLD_JSON_PATCH], "application/json")
CALLERS: Final = (*["admin"] * 8, "manager", "member", "reader", "stranger", None)
FOLLOWED: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Finding:
    what: str
    request: str
    answer: str

    def __str__(self) -> str:
        return f"{self.what}\n    {self.request}\n    {self.answer}"


@dataclass
class Report:
    statuses: Counter[int] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    """The first of each kind."""
    reached: set[str] = field(default_factory=set)
    """Operations that have succeeded at least once."""
    operations: int = 0

    @property
    def requests(self) -> int:
        return self.statuses.total()

    def __str__(self) -> str:
        statuses = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        found = "\n".join(str(finding) for finding in self.findings.values())
        return (
            f"{self.requests} requests; {statuses}; {len(self.reached)} of {self.operations} operations succeeded; "
            f"{len(self.findings)} findings\n{found}"
        )


class Walk:
    """One service, walked by a seed."""

    def __init__(self, service: str, folder: Path, number: int) -> None:
        self.service, self.folder, self.number = service, folder, number
        self.random = random.Random(number)
        self.config = Config(cloud=CloudConfig(state_dir=folder))
        self.document = document(main.services_of(self.config), service)
        self.root: str = self.document["servers"][0]["url"]
        self.report = Report()
        self.template = folder / "template.db"
        self.accounts = furnish_template(connect(str(self.template)), folder)
        self.validators: dict[str, Any] = {}
        self.count = 0
        self.cloud: Client | None = None
        self.refresh()

    # -- the cloud -------------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """A cloud as new; the document's lists are read once, so that there are ids to play with."""
        if self.cloud is not None:
            self.cloud.database.close()
        path = self.folder / "cloud.db"
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.template, path)
        opened = open_cloud(connect(str(path)), self.folder)
        tokens, facts = self.accounts
        self.cloud = Client(opened.app, dict(tokens), "", tokens["admin"], facts=facts, database=opened.database)
        self.pool = Pool(self.random)
        for prefix, lists in LISTS.items():
            for path_ in lists:
                self.pool.learn(path_, _json(self.cloud.get(f"{prefix}{path_}")))
        self.whose = {who: self._self_of(token) for who, token in tokens.items()}
        self._furnish()
        self.since_fresh = 0

    def _self_of(self, token: str) -> dict[str, str]:
        assert self.cloud is not None
        shown = self.cloud.get("/identity/v3/auth/tokens", headers={"X-Subject-Token": token}).body["token"]
        return {"users": shown["user"]["id"], "projects": shown["project"]["id"]}

    def _furnish(self) -> None:
        assert self.cloud is not None
        mine = {"me": self.whose["admin"]["users"], "my_project": self.whose["admin"]["projects"]}
        for prefix, wishes in WISHES.items():
            for method, path, body in wishes:
                path = path.replace("{me}", mine["me"])
                body = filled(body, lambda kind: mine.get(kind) or self.pool.last(kind))
                headers = {"OpenStack-API-Version": "placement 1.39"} if prefix == "/placement" else {}
                reply = self.cloud.request(method, prefix + path, body, headers=headers)
                assert reply.status < 400, (method, path, reply.content)
                if method == "POST":
                    self.pool.learn(path, _json(reply))
                else:
                    self.pool.learn_made(path.rpartition("/")[0] + "/{name}", path)
        if self.service in ("compute", "image"):
            for kind, id in server(self.cloud, self.pool.last("networks") or "").items():
                self.pool.add(kind, id)
        for kind, words in WORDS.items():
            for word in words:
                self.pool.add(kind, word)

    def is_alive(self) -> bool:
        assert self.cloud is not None
        return (
            self.cloud.get("/identity/v3/auth/tokens", headers={"X-Subject-Token": self.cloud.token or ""}).status
            == 200
        )

    # -- the walk --------------------------------------------------------------------------------------------------

    def run(self, requests: int) -> Report:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = schemathesis.openapi.from_dict(self.document).get_all_operations()
            operations = [o for o in (result.ok() for result in found) if self._is_followed(o)]
            self.report.operations = len(operations)
            while self.report.requests < requests:
                self.random.shuffle(operations)
                for operation in operations:
                    for case in self.cases(operation):
                        self.send(case)
                        if self.report.requests >= requests:
                            return self.report
        return self.report

    def _is_followed(self, operation: Any) -> bool:
        """A HEAD is a GET; bytes of images are another process's."""
        return operation.method in FOLLOWED and "x-pilvi-process" not in self._described(operation)

    def _described(self, operation: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.document["paths"][operation.path][operation.method]
        return found

    def cases(self, operation: Any) -> list[Any]:
        mode = GenerationMode.NEGATIVE if self.random.random() < 0.25 else GenerationMode.POSITIVE
        found: list[Any] = []

        @seed(self.random.getrandbits(32))
        @settings(max_examples=EXAMPLES.get(operation.method, 3), database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(operation.as_strategy(generation_mode=mode))
        def collect(case: Any) -> None:
            found.append(case)

        try:
            collect()
        except Exception:
            if mode is GenerationMode.POSITIVE:
                raise
        return found

    def send(self, case: Any) -> None:
        assert self.cloud is not None
        who = self.random.choice(CALLERS)
        self.pool.own = self.whose.get(who or "", {})
        path = self.root + self.pool.fill(
            case.operation.path, case.path_parameters or {}, REAL.get(case.operation.method, 0.9)
        )
        query = {k: v for k, v in (case.query or {}).items() if self.random.random() < 0.3}
        query = self.pool.mix(query)
        if query:
            path += "?" + urlencode(query, doseq=True, errors="surrogatepass")
        headers = _headers(case)
        if self.random.random() < 0.8:
            self._sensible(headers)
        raw = self._body(case)
        if raw and case.media_type:
            headers.setdefault("Content-Type", case.media_type)
        client = self.cloud.as_(who) if who else self.cloud.anonymous()
        path = path if path.isascii() else path.encode(errors="replace").decode("ascii", "replace")
        reply = client.request(case.operation.method.upper(), path, raw=raw, headers=headers)
        request = f"{who}: {case.operation.method.upper()} {path} {headers} {raw[:1500]!r}"
        self.judge(case.operation, path, reply, request, is_admin=who == "admin")

    def _sensible(self, headers: dict[str, str]) -> None:
        """Mostly the newest microversion, and real tokens where a header names one."""
        assert self.cloud is not None
        versions = self.document.get("x-pilvi-microversions")
        if versions:
            word = self.document["components"]["parameters"]["microversion"]["example"].partition(" ")[0]
            newest = list(versions)[-1]
            headers["OpenStack-API-Version"] = f"{word} {self.random.choice([*versions, *[newest] * len(versions)])}"
        if "X-Subject-Token" in headers or "auth" in headers:
            headers["X-Subject-Token"] = self.cloud.tokens[self.random.choice(("member", "reader"))]

    def _body(self, case: Any) -> bytes:
        if isinstance(case.body, NotSet):
            return b""
        if isinstance(case.body, bytes):
            return case.body
        try:
            return json.dumps(self.pool.mix(case.body)).encode(errors="surrogatepass")
        except (TypeError, ValueError):
            return repr(case.body).encode(errors="replace")

    # -- the judgement ---------------------------------------------------------------------------------------------

    def judge(self, operation: Any, path: str, reply: Reply, request: str, *, is_admin: bool) -> None:
        self.report.statuses[reply.status] += 1
        self.since_fresh += 1
        answer = f"{reply.status} {reply.content[:300]!r}"
        if reply.status >= 500 and reply.status not in EXPECTED:
            place = self._trace()
            self._found(f"broken {operation.label} {place}", request, answer)
        elif reply.status < 400:
            self.report.reached.add(operation.label)
            body = _json(reply)
            if operation.method in ("get", "post"):
                self.pool.learn(operation.path, body)
            elif operation.method == "put":
                self.pool.learn_made(operation.path, path)
            elif operation.method == "delete":
                self.pool.forget(operation.path, path)
            problem = self._undocumented(operation, reply, body)
            if problem:
                self._found(f"undocumented {operation.label}: {problem}", request, answer)
        elif reply.status == 404 and is_admin and operation.path.count("{") == 1:
            self.pool.forget(operation.path, path)
        if self.since_fresh >= FRESH_AFTER or (reply.status in (401, 403) and not self.is_alive()):
            self.refresh()

    def _found(self, what: str, request: str, answer: str) -> None:
        self.report.findings.setdefault(what, Finding(what, request, answer))

    def _trace(self) -> str:
        """Where it broke: the last line of the traceback that the edge has logged."""
        log = max(self.folder.glob("log/*.log"), default=None)
        lines = log.read_text().splitlines() if log else []
        for line in reversed(lines[-50:]):
            if "request.failed" in line:
                text = str(json.loads(line).get("exception", ""))
                frames = [part.strip() for part in text.splitlines() if part.strip()]
                places = [f for f in frames if f.startswith("File") and "/src/pilvi/" in f]
                return " | ".join([*places[-1:], *frames[-1:]])
        return ""

    def _undocumented(self, operation: Any, reply: Reply, body: Any) -> str:
        responses = self._described(operation)["responses"]
        response = responses.get(str(reply.status))
        if response is None:
            return "" if "x-pilvi-unseen" in self._described(operation) else f"status {reply.status}"
        schema = response.get("content", {}).get("application/json", {}).get("schema")
        if schema is None or schema.get("x-pilvi-recorded") or not self._is_newest(reply):
            return ""
        key = f"{operation.label} {reply.status}"
        if key not in self.validators:
            whole = schema | {"components": self.document["components"]}
            self.validators[key] = jsonschema_rs.Draft202012Validator(whole, formats=wire.FORMATS)
        error = next(iter(self.validators[key].iter_errors(body)), None)
        return f"{'/'.join(map(str, error.schema_path))}: {error.message[:200]}" if error is not None else ""

    def _is_newest(self, reply: Reply) -> bool:
        """The document shows the newest microversion only."""
        versions = self.document.get("x-pilvi-microversions")
        if not versions:
            return True
        said = next((v for k, v in reply.headers.items() if k.lower() == "openstack-api-version"), "")
        return said.endswith(f" {list(versions)[-1]}")


def _json(reply: Reply) -> Any:
    try:
        return json.loads(reply.content) if reply.content else None
    except ValueError:
        return None


def _headers(case: Any) -> dict[str, str]:
    """What a header may hold; a token of its own making would only ever be refused."""
    return {
        str(k): str(v)
        for k, v in (case.headers or {}).items()
        if str(k).lower() not in ("x-auth-token", "content-length", "transfer-encoding") and str(v).isprintable()
    }
