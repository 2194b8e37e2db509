"""All responders of a host: kept equal to what the wanted state of its network means."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeVar

from pilvi.agent.responders import plan as planning
from pilvi.agent.responders import sockets
from pilvi.agent.responders.advertiser import Advertiser
from pilvi.agent.responders.metadata_server import MetadataSource
from pilvi.agent.responders.network_responder import NetworkResponder
from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces
from pilvi.network.drivers.protocol import HostState

_METADATA_THREADS = 4
_APPLY_TIMEOUT_S = 120.0
T = TypeVar("T")


class _Responder(Protocol):
    async def start(self) -> None: ...
    async def stop(self) -> None: ...


class Responders:
    """Lives in one event loop. `resolvers` are asked for foreign names, from within the network's own namespace."""

    def __init__(self, tag: str, metadata: MetadataSource, *, resolvers: tuple[str, ...] = ()) -> None:
        self._tag = tag
        self._metadata = metadata
        self._resolvers = resolvers
        self._executor = ThreadPoolExecutor(_METADATA_THREADS, "metadata")
        self._networks: dict[str, NetworkResponder] = {}
        self._advertisers: dict[tuple[str, str], Advertiser] = {}

    async def apply(self, state: HostState) -> dict[str, str]:
        """To be called after the driver's turn, as often as one likes. Returns what failed, by network id or by
        namespace; it is tried again at the next call, and all else is served."""
        wanted = planning.plan(state, self._tag, self._resolvers)
        errors: dict[str, str] = {}
        for network_id in self._networks.keys() - wanted.networks.keys():
            await self._networks.pop(network_id).stop()
        for key in self._advertisers.keys() - wanted.advertisements.keys():
            await self._advertisers.pop(key).stop()
        for network_id, one in wanted.networks.items():
            error = await self._ensure_network(network_id, one)
            if error is not None:
                errors[network_id] = error
        for key, advertised in wanted.advertisements.items():
            error = await self._ensure_advertiser(key, advertised)
            if error is not None:
                errors[key[0]] = error
        return errors

    async def close(self) -> None:
        every: list[_Responder] = [*self._networks.values(), *self._advertisers.values()]
        for one in every:
            await one.stop()
        self._networks.clear()
        self._advertisers.clear()
        self._executor.shutdown(wait=False, cancel_futures=True)

    async def _ensure_network(self, network_id: str, wanted: planning.NetworkPlan) -> str | None:
        known = self._networks.get(network_id)
        try:
            if known is not None:
                known.plan = wanted
                if known.place == await asyncio.to_thread(sockets.place_of, wanted.namespace, names.SERVICE_LINK):
                    return None
                await self._networks.pop(network_id).stop()
            fresh = NetworkResponder(wanted, self._metadata, self._executor)
            await _start(fresh)
            self._networks[network_id] = fresh
        except (OSError, namespaces.NoNamespace) as error:
            return str(error)
        return None

    async def _ensure_advertiser(self, key: tuple[str, str], wanted: planning.Advertisement) -> str | None:
        known = self._advertisers.get(key)
        try:
            if known is not None:
                known.update(wanted)
                if known.place == await asyncio.to_thread(sockets.place_of, *key):
                    return None
                await self._advertisers.pop(key).stop()
            fresh = Advertiser(wanted)
            await _start(fresh)
            self._advertisers[key] = fresh
        except (OSError, namespaces.NoNamespace) as error:
            return str(error)
        return None


async def _start(responder: _Responder) -> None:
    try:
        await responder.start()
    except BaseException:
        await responder.stop()
        raise


class ResponderThread:
    """The same for a synchronous agent: an event loop in a thread of its own."""

    def __init__(self, tag: str, metadata: MetadataSource, *, resolvers: tuple[str, ...] = ()) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="responders", daemon=True)
        self._responders = Responders(tag, metadata, resolvers=resolvers)
        self._thread.start()

    def apply(self, state: HostState) -> dict[str, str]:
        return self._run(self._responders.apply(state))

    def close(self) -> None:
        self._run(self._responders.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_APPLY_TIMEOUT_S)
