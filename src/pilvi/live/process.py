"""What every handler of this process needs: who asks, transactions and slow calls off the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from aiohttp import web

from pilvi.identity import facade as identity
from pilvi.kernel import ids, tracing
from pilvi.kernel.config import Config
from pilvi.kernel.context import Context, token_of
from pilvi.kernel.db import Database, Tx
from pilvi.kernel.errors import Forbidden, NotFound, Unauthorized
from pilvi.kernel.http import SERVICE_ROLE, Authenticate, below
from pilvi.kernel.secret_files import Secrets
from pilvi.live.client import INTERNAL_HEADER

T = TypeVar("T")

CTX: Final = web.RequestKey("ctx", Context)
"""Where the context of a request is kept."""

DATABASE_THREADS: Final = 4
DISK_THREADS: Final = 4
FRONT_HEADER: Final = "X-Pilvi-Front"
HOST_HEADER: Final = "X-Pilvi-Host"


class LiveProcess:
    """The database behind a few threads, and the checks of who came in."""

    def __init__(self, config: Config, database: Database, authenticate: Authenticate, secret: Secrets) -> None:
        self.config = config
        self.database = database
        self.disk = ThreadPoolExecutor(DISK_THREADS, thread_name_prefix="disk")
        self._transactions = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="database")
        self._authenticate = authenticate
        self._secret = secret

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self._run(self.database.read, work)

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self._run(self.database.write, work)

    async def _run(self, run: Callable[[Callable[[Tx], T]], T], work: Callable[[Tx], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._transactions, run, work)

    def close(self) -> None:
        self.disk.shutdown(wait=False, cancel_futures=True)
        self._transactions.shutdown(wait=True)
        self.database.close()

    # -- who came in -----------------------------------------------------------------------------------------------

    def came_through_front(self, request: web.Request) -> bool:
        return self._secret.knows(request.headers.get(FRONT_HEADER, ""))

    def context(self, request: web.Request) -> Context:
        """A fresh context. Forwarded headers count only when our own front sent them."""
        url = self.config.cloud.public_url.rstrip("/")
        forwarded = request.headers.get("X-Forwarded-Host")
        if forwarded and self.came_through_front(request):
            url = f"{request.headers.get('X-Forwarded-Proto', 'http')}://{forwarded}"
        return Context(
            request_id=ids.request_id(),
            base_url=url + "/image",
            cloud_url=url,
            method=request.method,
            path=request.path,
            token_id=token_of(_header_of(request)),
            header=_header_of(request),
            trace_id=tracing.id_of(request.headers.get("traceparent")),
        )

    async def identify(self, request: web.Request) -> Context:
        """The caller, by its token."""
        ctx: Context = request[CTX]
        if not ctx.token_id:
            raise Unauthorized("The request you have made requires authentication.")
        service_token = request.headers.get("X-Service-Token", "")

        def look(tx: Tx) -> None:
            if service_token:
                ctx.service_roles = self._authenticate(tx, service_token).roles
            ctx.principal = self._authenticate(tx, ctx.token_id, late=SERVICE_ROLE in ctx.service_roles)

        await self.read(look)
        by_service = SERVICE_ROLE in ctx.service_roles
        if not by_service and not identity.permits(ctx.principal, "image", request.method, below(request.path)):
            raise Unauthorized("The access rules of this application credential do not allow this request.")
        return ctx

    def host_of(self, request: web.Request) -> str:
        """The host whose agent asks, which the front has proven by its certificate."""
        host = request.headers.get(HOST_HEADER, "")
        if not host or not self.came_through_front(request):
            raise Unauthorized("Only agents with a certificate of this cloud may ask this.")
        return host

    def check_internal(self, request: web.Request) -> None:
        """Only processes of this machine that know the secret; what came through the front bears the front's header."""
        if FRONT_HEADER in request.headers:
            raise NotFound("The resource could not be found.")
        if not self._secret.knows(request.headers.get(INTERNAL_HEADER, "")):
            raise Forbidden("Only processes of this cloud may ask this.")


def _header_of(request: web.Request) -> Callable[[str], str | None]:
    def header(name: str) -> str | None:
        found: str | None = request.headers.get(name)
        return found

    return header
