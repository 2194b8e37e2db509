"""The composition root: the only module that imports every service, and what each process is made of.

Services are imported inside the functions: the process that only watches over a server's worker stays small.
"""

import gc
import resource
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilvi.kernel.config import Config, Secret

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from socket import socket

    from pilvi.kernel.db import Database
    from pilvi.kernel.http import Edge, Service
    from pilvi.kernel.loop import Loop
    from pilvi.kernel.secret_files import Secrets
    from pilvi.kernel.tasks import Tasks

SCHEMA = ("kernel", "identity", "image", "placement", "compute", "network", "ops")
"""Services with tables, in the order in which their migrations run."""


def open_database(config: Config) -> "Database":
    from pilvi.identity import facade as identity
    from pilvi.kernel.db import connect

    identity.open_keys_with(config.paths.sealing_key)
    return connect(config.database_url)


def migrate(config: Config) -> None:
    """Bring the schema up to date."""
    from pilvi.kernel.migrate import migrate as apply

    database = open_database(config)
    apply(database, list(SCHEMA))
    database.close()


def bootstrap(config: Config, admin_password: Secret) -> None:
    """The first domain, roles, project, administrator and catalog. Again it changes only a new password or URL."""
    from pilvi.identity import facade as identity
    from pilvi.image import facade as image

    hashed = identity.hash_password(admin_password.reveal())
    database = open_database(config)
    database.write(
        lambda tx: identity.bootstrap(
            tx,
            admin_password_hash=hashed,
            region=config.cloud.region,
            public_url=config.cloud.public_url,
        )
    )
    database.write(image.bootstrap)
    database.close()


def services_of(config: Config) -> "list[Service]":
    from pilvi.compute import routes as compute
    from pilvi.identity import routes as identity
    from pilvi.image import routes as image
    from pilvi.network import routes as network
    from pilvi.ops.openapi import serving as openapi
    from pilvi.placement import routes as placement

    services = [
        identity.service(config),
        *image.services_of(config),
        *placement.services_of(config),
        *network.services_of(config),
        *compute.services_of(config),
    ]
    return [*services, openapi.service(services)]


def loops_of(config: Config) -> "list[Loop]":
    from pilvi.compute import routes as compute
    from pilvi.identity import routes as identity
    from pilvi.image import routes as image
    from pilvi.kernel import retention
    from pilvi.network import routes as network
    from pilvi.ops.audit import reconcile as audit

    kept = retention.loop(compute.kept())
    return [*identity.loops(config), *compute.loops(), *image.loops(config), *network.loops(), audit.loop(), kept]


def edge_of(config: Config, database: "Database", front_secret: "Secrets | None" = None) -> "Edge":
    from pilvi.identity import facade as identity
    from pilvi.kernel.http import Edge
    from pilvi.ops.monitoring.requests import observe_request

    return Edge(
        database,
        services_of(config),
        identity.authenticate,
        public_url=config.cloud.public_url,
        front_secret=front_secret,
        observe=observe_request,
        permits=identity.permits,
    )


def api_application(config: Config) -> "tuple[Callable[..., Any], Callable[[Tasks], AbstractContextManager[Any]]]":
    """What a process of `api` serves: the APIs and the database's moments, with the loops beside them."""
    from pilvi.compute.hosts import service as compute_hosts
    from pilvi.image.imports import service as image_imports
    from pilvi.kernel import hosts, policy_files
    from pilvi.kernel.log import configure
    from pilvi.kernel.loop import Runner
    from pilvi.kernel.secret_files import SecretFile
    from pilvi.live.client import LiveClient
    from pilvi.ops.monitoring import otlp
    from pilvi.ops.monitoring.process import Endpoint, know_oneself
    from pilvi.ops.monitoring.traced import TracedApplication, TracedDatabase

    # Answers are trees of dicts without cycles: a collection for every 700 of them costs more than making them does.
    gc.set_threshold(50_000, 20, 50)
    configure("api", config.paths.log, level=config.api.log_level)
    database = open_database(config)
    is_traced = otlp.start(config, "api")
    if is_traced:
        database = TracedDatabase(database)
    secret = SecretFile(config.paths.front_secret)
    secret.current()  # Without one nothing begins.
    live = LiveClient(config.paths.live_socket, config.paths.live_wake_socket, secret)
    hosts.wake.append(live.wake)
    compute_hosts.console_reader.append(live.console_output)
    image_imports.started.append(live.work)
    edge = edge_of(config, database, secret)
    policy_files.Watch(config.paths.policy).start()
    Runner(database, loops_of(config)).start()
    know_oneself()
    Endpoint(config.paths.run, "api").start()
    application = edge.application()
    return TracedApplication(application) if is_traced else application, database.moment


def run_api(config: Config) -> None:
    """Serve until told to stop."""
    from pilvi.kernel import listen, workers

    listener = listen.inherited() or listen.bound(config.paths.api_socket)
    if config.api.processes == 1:
        serve_api(config, listener)
    else:
        workers.keep(config.api.processes, lambda: serve_api(config, listener))


def serve_api(config: Config, listener: "socket") -> None:
    from pilvi.kernel.http_server import Server

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    application, moment = api_application(config)
    server = Server(listener, application, moment=moment, threads=config.api.threads)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    server.serve()


def run_live(config: Config) -> None:
    from pilvi.live.server import run

    run(config)


def run_agent(config: Config) -> None:
    from pilvi.agent.process import run

    run(config)
