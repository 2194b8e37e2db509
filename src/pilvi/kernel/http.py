"""The server edge: path → route, token → context, body → object, transaction, rule check, view → bytes, faults.

Handlers know nothing of this; they are called as `handler(ctx, tx, **path, body=…, query=…)`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import falcon
import orjson

from pilvi.kernel import clock, facts, idempotency, ids, tracing
from pilvi.kernel.at_once import AT_ONCE, MustWait
from pilvi.kernel.bodies import decode
from pilvi.kernel.context import ANONYMOUS, Context, Principal, token_of
from pilvi.kernel.db import Database, Duplicate, Tx
from pilvi.kernel.errors import (
    BadRequest,
    Conflict,
    Fault,
    MethodNotAllowed,
    NotFound,
    Unauthorized,
)
from pilvi.kernel.log import logger, plain
from pilvi.kernel.microversion import Versions
from pilvi.kernel.paging import Page
from pilvi.kernel.paths import ProjectInPath, template_of
from pilvi.kernel.query import Query
from pilvi.kernel.refusals import Refusals, place_of
from pilvi.kernel.routing import Answer, Route
from pilvi.kernel.secret_files import Secrets

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
SERVICE_ROLE, HOST_HEADER, FRONT_HEADER = "service", "HTTP_X_PILVI_HOST", "HTTP_X_PILVI_FRONT"

Dress = Callable[[Fault, Context], dict[str, Any]]


class Authenticate(Protocol):
    def __call__(self, tx: Tx, token: str, *, late: bool = False) -> Principal:
        """Whom the token stands for; raises Unauthorized. `late`: also one that ended a while ago."""


@dataclass(frozen=True, slots=True)
class Service:
    """One API as the edge sees it."""

    name: str
    prefix: str
    """Below the public URL, such as `/compute/v2.1`."""
    dress: Dress
    """The error body of this API."""
    routes: list[Route] = field(default_factory=list)
    versions: Versions | None = None
    page_links: Callable[[Context, Query, type, Page[Any]], dict[str, Any]] | None = None
    """Members that a list answer carries beside the list, such as next links."""
    field_selection: bool = False
    """`?fields=` chooses attributes (network)."""
    request_id_headers: tuple[str, ...] = ()
    """Further headers that carry the request id."""
    root: str = ""
    """Where the API hangs, such as `/compute`, when `prefix` goes on with a version."""
    plain_faults: Callable[[Fault, Context], "Answer | None"] | None = None
    """Another answer to a fault than the dressed one, for clients that do not take JSON (placement)."""
    gate: Callable[[Context, falcon.Request, list[Route] | None], None] | None = None
    """Checks of headers that only this API makes; raises a fault (placement)."""
    slash_matters: bool = False
    """A path with a slash at its end is another path, which does not exist (image)."""


def unauthorized_body(fault: Fault) -> dict[str, Any]:
    """The shape of the token check, the same before every service."""
    return {"error": {"code": 401, "title": "Unauthorized", "message": fault.message}}


class Edge:
    """Builds the WSGI application from the services' routes."""

    def __init__(
        self,
        database: Database,
        services: list[Service],
        authenticate: Authenticate,
        *,
        public_url: str,
        front_secret: Secrets | None = None,
        observe: Callable[[Route | None, str, int, float], None] | None = None,
        permits: Callable[[Principal, str, str, str], bool] | None = None,
    ) -> None:
        """`permits` says whether a delegated credential may make this request: service type, method, path below it."""
        self.database = database
        self.services = services
        self.authenticate = authenticate
        self.public_url = public_url.rstrip("/")
        self.front_secret = front_secret
        self.observe = observe
        self.refusals = Refusals()
        self.permits = permits

    def application(self) -> Callable[..., Any]:
        app: falcon.App[Any, Any] = falcon.App()
        app.req_options.strip_url_path_trailing_slash = True
        app.resp_options.default_media_type = None  # type: ignore[assignment]  # each answer says its own
        paths: dict[str, tuple[Service, dict[str, list[Route]]]] = {}
        for service in self.services:
            for route in service.routes:
                template = template_of(service.prefix + route.path)
                _, methods = paths.setdefault(template, (service, {}))
                methods.setdefault(route.method, []).append(route)
        for template, (service, methods) in paths.items():
            app.add_route(template, self._resource(service, methods))
        app.add_sink(self._unknown, prefix="/")
        app.add_error_handler(Exception, self._broken)
        return ProjectInPath(app)

    # -- one path --------------------------------------------------------------------------------------------------

    def _resource(self, service: Service, methods: Mapping[str, list[Route]]) -> object:
        """A falcon resource that serves every method of one path, the refused ones included."""

        def responder(method: str) -> Callable[..., None]:
            routes = methods.get(method)
            writes = any(route.writes for route in routes or ())

            def respond(_: object, req: falcon.Request, resp: falcon.Response, **values: str) -> None:
                if writes and AT_ONCE in req.env:
                    raise MustWait
                self._serve(service, routes, methods, req, resp, tuple(values.values()))

            return respond

        return type("Resource", (), {f"on_{m.lower()}": responder(m) for m in METHODS})()

    def _serve(
        self,
        service: Service,
        routes: list[Route] | None,
        methods: Mapping[str, list[Route]],
        req: falcon.Request,
        resp: falcon.Response,
        values: tuple[str, ...],
    ) -> None:
        started = clock.monotonic()
        ctx = self.context(service, req)
        seen: list[Route] = []
        why = ""
        try:
            answer = self._answer(service, routes, methods, ctx, req, values, seen)
        except Fault as fault:
            why = fault.message
            answer = self._fault(service, fault, ctx)
        except Duplicate as duplicate:
            why = "An object with these values exists already."
            logger("api").warning("duplicate", request_id=ctx.request_id, error=str(duplicate))
            answer = self._fault(service, Conflict("An object with these values exists already."), ctx)
        except Exception as error:  # noqa: BLE001 one of the two places that catch everything
            logger("api").exception("request.failed", request_id=ctx.request_id, path=req.path, error=repr(error))
            why = place_of(error)
            message = f"Something went wrong on our side. The request id is {ctx.request_id}; `pilvi why` explains."
            answer = self._fault(service, Fault(message), ctx)
        if answer.status >= 400 and answer.status != 401 and seen:
            self.refusals.remember(self.database, ctx, _step(service, seen[0]), seen[0], answer.status, why)
        self._send(service, answer, ctx, resp)
        self._account(seen[0] if seen else None, ctx, answer.status, started)

    def _answer(
        self,
        service: Service,
        routes: list[Route] | None,
        methods: Mapping[str, list[Route]],
        ctx: Context,
        req: falcon.Request,
        values: tuple[str, ...],
        seen: list[Route],
    ) -> Answer:
        """Negotiate, find the route (which is put into `seen`), run it."""
        if service.versions is not None:
            legacy = service.versions.legacy_header
            ctx.version = service.versions.negotiate(
                req.get_header("OpenStack-API-Version"), req.get_header(legacy) if legacy else None
            )
        if service.slash_matters and req.env["PATH_INFO"].endswith("/"):
            self._identify(ctx, req, next(iter(methods.values()))[0])
            raise NotFound("The resource could not be found.", type="HTTPNotFound")
        if service.gate is not None:
            service.gate(ctx, req, routes)
        if routes is None:
            allowed = ", ".join(sorted(methods))
            self._identify(ctx, req, next(iter(methods.values()))[0])
            raise MethodNotAllowed(
                f"The method {req.method} is not allowed for this resource. Use {allowed}.", headers={"Allow": allowed}
            )
        raw = None
        if any(r.body is not None or r.raw or r.action for r in routes):
            raw = ctx.asked = decode(req, routes[0].media)
        if routes[0].auth == "token" and not ctx.token_id:
            raise _unauthorized(ctx)
        route = _choose(routes, raw, ctx, service)
        seen.append(route)
        return self._run(service, route, ctx, req, raw, values)

    def context(self, service: Service, req: falcon.Request) -> Context:
        """A fresh context. Forwarded headers and the host's name count only when our own front sent them."""
        url, host = self.public_url, None
        front = req.env.get(FRONT_HEADER, "")
        if front and self.front_secret is not None and self.front_secret.knows(front):
            host = req.env.get(HOST_HEADER) or None
            forwarded = req.env.get("HTTP_X_FORWARDED_HOST")
            if forwarded:
                url = f"{req.env.get('HTTP_X_FORWARDED_PROTO', 'http')}://{forwarded}"
        return Context(
            request_id=ids.request_id(),
            host=host,
            base_url=url + (service.root or service.prefix),
            cloud_url=url,
            method=req.method,
            path=req.path,
            started=clock.monotonic(),
            token_id=token_of(req.get_header),
            header=req.get_header,
            database=self.database,
            trace_id=tracing.id_of(req.env.get("HTTP_TRACEPARENT")),
        )

    def _identify(self, ctx: Context, req: falcon.Request, route: Route, tx: Tx | None = None) -> None:
        """Put the caller into the context; raises Unauthorized."""
        if route.auth == "none":
            return
        if route.auth == "host":
            if ctx.host is None:
                raise Unauthorized("Only agents with a certificate of this cloud may ask this.")
            return
        if not ctx.token_id:
            raise _unauthorized(ctx)
        if tx is None:
            self.database.read(lambda t: self._identify(ctx, req, route, t))
            return
        by_service = self._identify_service(ctx, req, tx)
        ctx.principal = self.authenticate(tx, ctx.token_id, late=by_service and route.service != "identity")
        permits = None if by_service else self.permits
        if permits is not None and not permits(ctx.principal, route.service, req.method, below(req.path)):
            raise Unauthorized("The access rules of this application credential do not allow this request.")
        named = req.env.get("pilvi.project_in_path")
        if named and named != ctx.project_id and not ctx.is_admin:
            raise BadRequest(f"The URL names project {named}, the token is for project {ctx.project_id}.")

    def _identify_service(self, ctx: Context, req: falcon.Request, tx: Tx) -> bool:
        """Whether a service asks on the caller's behalf. What a user ordered may outlast their token and lead to calls
        that no access rule names; both is forgiven then, but identity makes no credential from an ended token."""
        if token := req.get_header("X-Service-Token"):
            ctx.service_roles = self.authenticate(tx, token).roles
        return SERVICE_ROLE in ctx.service_roles

    def _run(
        self, service: Service, route: Route, ctx: Context, req: falcon.Request, raw: Any, values: tuple[str, ...]
    ) -> Answer:
        query = Query(req.query_string)
        arguments: dict[str, Any] = {}
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        arguments |= {n: v for n, v in zip(names, values, strict=True) if n in route.parameters}
        if "query" in route.wants:
            arguments["query"] = query
        for name in route.query_parameters:
            if name in query:
                arguments[name] = query.get(name)

        result = self._transact(service, route, ctx, req, raw, arguments, query)
        if isinstance(result, Answer):
            return result
        assert route.then is not None
        if AT_ONCE in req.env:
            raise MustWait
        return self._render(service, route, ctx, route.then(ctx, result), query)

    def _transact(
        self,
        service: Service,
        route: Route,
        ctx: Context,
        req: falcon.Request,
        raw: Any,
        arguments: dict[str, Any],
        query: Query,
    ) -> Any:
        """Authenticate and run the handler in the transaction that the route asks for."""

        def handle(tx: Tx) -> Any:
            bodies, many = self._bodies(route, ctx, raw)
            return self._handle(service, route, ctx, tx, arguments, bodies, many, query)

        if not route.writes:

            def look(tx: Tx) -> Any:
                self._identify(ctx, req, route, tx)
                return handle(tx)

            return self.database.read(look)
        self._identify(ctx, req, route)
        claim = idempotency.claim(ctx, query.text, raw)
        if route.prepare is not None:
            bodies, many = self._bodies(route, ctx, raw)
            prepared = [route.prepare(body) for body in bodies]

            def handle(tx: Tx) -> Any:
                return self._handle(service, route, ctx, tx, arguments, prepared, many, query)

        if claim is None:
            return self.database.write(handle)
        return self.database.write(lambda tx: claim.once(tx, ctx, lambda: handle(tx)))

    def _bodies(self, route: Route, ctx: Context, raw: Any) -> tuple[list[Any], bool]:
        """The parsed bodies, and whether the client sent a plural (one entry may be a plural too)."""
        if route.raw:
            return [raw], False
        if route.body is None:
            return [None], False
        if raw is None:
            if route.body_optional:
                return [None], False
            raise BadRequest("Malformed JSON: this request needs a JSON body.", type="HTTPBadRequest")
        if not isinstance(raw, dict):
            raise BadRequest("The request body must be a JSON object.", type="HTTPBadRequest")
        if route.body.plural and route.body.plural in raw and route.body.root not in raw:
            return list(route.body.parse_many(raw, ctx.version)), True
        return [route.body.parse(raw, ctx.version)], False

    def _handle(
        self,
        service: Service,
        route: Route,
        ctx: Context,
        tx: Tx,
        arguments: dict[str, Any],
        bodies: list[Any],
        many: bool,
        query: Query,
    ) -> Any:
        ctx.checked.clear()
        if route.writes:
            facts.act(tx, ctx, _step(service, route))
        if "body" not in route.wants:
            result = route.handler(ctx, tx, **arguments)
        elif many:
            result = [route.handler(ctx, tx, body=body, **arguments) for body in bodies]
        else:
            result = route.handler(ctx, tx, body=bodies[0], **arguments)
        if route.rule is not None and route.rule.name not in ctx.checked:
            raise AssertionError(f"{route.name} promised rule {route.rule.name} and did not check it")
        if route.writes and not route.quiet and ctx.method != "GET":
            facts.request(tx, ctx, _step(service, route), {"path": ctx.path, "by": ctx.principal.user_name})
        if route.then is not None and not isinstance(result, Answer):
            return result
        return self._render(service, route, ctx, result, query)

    def _render(self, service: Service, route: Route, ctx: Context, result: Any, query: Query) -> Answer:
        status = route.status_at(ctx.version)
        if isinstance(result, Answer):
            return result
        if result is None:
            return Answer(status)
        view = route.view
        if view is None:
            return Answer(status, result)
        only = frozenset(query.all("fields")) if service.field_selection else frozenset()
        render = view.renderer(ctx, only)
        if isinstance(result, Page | list):
            page = result if isinstance(result, Page) else Page(result)
            body: dict[str, Any] = {view.plural: [render(item, ctx) for item in page.items]}
            if service.page_links is not None:
                body |= service.page_links(ctx, query, view, page)
            return Answer(status, body)
        rendered = render(result, ctx)
        return Answer(status, {view.root: rendered} if view.root else rendered)

    # -- answers ---------------------------------------------------------------------------------------------------

    def _fault(self, service: Service, fault: Fault, ctx: Context) -> Answer:
        if fault.status == 401:
            challenge = {"WWW-Authenticate": f'Keystone uri="{ctx.cloud_url}/identity"'}
            body = service.dress(fault, ctx) if service.name == "identity" else unauthorized_body(fault)
            return Answer(401, body, {**challenge, **fault.headers})
        plain = service.plain_faults(fault, ctx) if service.plain_faults is not None else None
        return plain or Answer(fault.status, service.dress(fault, ctx), fault.headers)

    def _send(self, service: Service, answer: Answer, ctx: Context, resp: falcon.Response) -> None:
        resp.status = answer.status
        resp.set_header("X-Openstack-Request-Id", ctx.request_id)
        resp.set_header("traceresponse", tracing.parent_of(ctx.request_id))
        for name in service.request_id_headers:
            resp.set_header(name, ctx.request_id)
        if service.versions is not None and (ctx.version or service.versions.minimum == 0):
            for name, value in service.versions.echo(ctx.version).items():
                resp.set_header(name, value)
        for name, value in answer.headers.items():
            (resp.append_header if name == "Set-Cookie" else resp.set_header)(name, value)
        if answer.body is None:
            if answer.status not in (204, 304):
                if answer.content_type:
                    resp.content_type = answer.content_type
                resp.data = b""
            return
        resp.content_type = answer.content_type
        resp.data = answer.body if isinstance(answer.body, bytes) else orjson.dumps(answer.body)

    def _account(self, route: Route | None, ctx: Context, status: int, started: float) -> None:
        duration_s = clock.monotonic() - started
        if self.observe is not None:
            self.observe(route, ctx.method, status, duration_s)
        if (ctx.method != "GET" and not (route and route.quiet)) or status >= 400:
            line = {
                "request_id": ctx.request_id, "method": ctx.method, "path": ctx.path, "status": status,
                "ms": round(duration_s * 1000, 2), "user_id": ctx.user_id, "project_id": ctx.project_id,
            } | ({"trace_id": ctx.trace_id} if ctx.trace_id else {})  # fmt: skip
            plain("api", "request", line)

    def _unknown(self, req: falcon.Request, resp: falcon.Response, **_: str) -> None:
        """No such path. Without a token that is 401, as everywhere behind a token check."""
        service = max(
            (s for s in self.services if req.path.startswith(s.root or s.prefix)),
            key=lambda s: len(s.root or s.prefix),
            default=self.services[0],
        )
        ctx = self.context(service, req)
        try:
            if service.versions is not None:
                ctx.version = service.versions.minimum
                ctx.version = service.versions.negotiate(req.get_header("OpenStack-API-Version"), None)
            if not ctx.token_id:
                raise _unauthorized(ctx)
            ctx.principal = self.database.read(lambda tx: self.authenticate(tx, ctx.token_id))
            raise NotFound("The resource could not be found.", type="HTTPNotFound")
        except Fault as fault:
            answer = self._fault(service, fault, ctx)
        self._send(service, answer, ctx, resp)
        self._account(None, ctx, answer.status, clock.monotonic())

    def _broken(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: object) -> None:
        if isinstance(error, falcon.HTTPError | falcon.HTTPStatus):
            status = int(str(error.status).split(" ", 1)[0])
            message = getattr(error, "description", None) or str(getattr(error, "title", error))
            fault = BadRequest(message) if status < 500 else Fault(message)
        else:
            logger("api").exception("edge.failed", path=req.path, error=repr(error))
            fault = Fault("Something went wrong on our side.")
        service = self.services[0]
        ctx = self.context(service, req)
        ctx.principal = ANONYMOUS
        self._send(service, self._fault(service, fault, ctx), ctx, resp)


def _choose(routes: list[Route], raw: Any, ctx: Context, service: Service) -> Route:
    """The route for this microversion and, in an action table, for this body key."""
    present = [r for r in routes if r.since <= ctx.version <= r.until]
    if not present:
        raise NotFound("The resource could not be found.", type="HTTPNotFound")
    if not present[0].action:
        return present[0]
    keys = list(raw) if isinstance(raw, dict) else []
    found = [r for r in present if r.action in keys]
    if len(found) == 1:
        return found[0]
    if not found:
        named = ", ".join(repr(str(k)[:64]) for k in keys[:3]) or "no action"
        raise BadRequest(f"There is no such action: {named}. Possible are {', '.join(r.action for r in present)}.")
    raise BadRequest("The body names more than one action.")


def _unauthorized(ctx: Context) -> Unauthorized:
    return Unauthorized("The request you have made requires authentication.")


def below(path: str) -> str:
    """The path as access rules name it: below the service's own prefix, `/compute/v2.1/servers` → `/v2.1/servers`."""
    return "/" + path.lstrip("/").partition("/")[2]


def _step(service: Service, route: Route) -> str:
    return f"api {service.name} {route.name}"[:96]
