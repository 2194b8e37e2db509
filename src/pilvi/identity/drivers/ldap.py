"""A directory as a client of LDAP sees it: reads entries and tries passwords. Connections and answers are bounded.

Called outside transactions, by `directories/stream.py` and `directories/reconcile.py`. Raises Unavailable when the
directory does not answer as it should.
"""

import ssl
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from pilvi.identity.directories.model import (
    ENTRIES_LIMIT,
    Attributes,
    Kind,
    Person,
    Plan,
    Server,
    Team,
    person,
    plain_dn,
    team,
)
from pilvi.kernel.errors import Unavailable

with warnings.catch_warnings():  # The library asks for names by which pyasn1 calls some things no more.
    warnings.simplefilter("ignore", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPException
    from ldap3.utils.conv import escape_filter_chars

ANSWER_S: Final = 15
WAIT_S: Final = 10.0
LONGEST_PASSWORD: Final = 4096
INVALID_CREDENTIALS: Final = 49
SUCCESS, NO_SUCH_OBJECT = 0, 32
PAGES: Final = "1.2.840.113556.1.4.319"
_VALUE_LIMIT: Final = 100_000


class Directory:
    """One domain's directory. Any number of threads may ask."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._slots = threading.BoundedSemaphore(plan.pool_size)
        self._tries = threading.BoundedSemaphore(plan.auth_pool_size)
        self._lock = threading.Lock()
        self._idle: list[tuple[Any, float]] = []

    # -- what is there ---------------------------------------------------------------------------------------------

    def people(self) -> list[Person]:
        """Every user; raises when the answer is not complete."""
        enabled = self._enabled_dns()
        found = (person(self.plan, dn, said, enabled) for dn, said in self._entries(self.plan.users, ""))
        return [one for one in found if one is not None]

    def teams(self) -> list[Team]:
        found = (team(self.plan, dn, said) for dn, said in self._entries(self.plan.groups, ""))
        return [one for one in found if one is not None]

    def find(self, *, name: str = "", local_id: str = "") -> Person | None:
        """The one user of this name or id; None when there is none, or more than one."""
        kind = self.plan.users
        wanted = (
            f"({kind.name}={escape_filter_chars(name)})" if name else f"({kind.id}={escape_filter_chars(local_id)})"
        )
        found = self._entries(kind, wanted)
        if len(found) != 1:
            return None
        dn, said = found[0]
        return person(self.plan, dn, said, self._enabled_dns())

    def teams_of(self, who: Person) -> list[Team]:
        member = who.local_id if self.plan.members_are_ids else who.dn
        found = self._entries(self.plan.groups, f"({self.plan.member}={escape_filter_chars(member)})")
        return [one for one in (team(self.plan, dn, said) for dn, said in found) if one is not None]

    def is_password(self, who: Person, password: str) -> bool:
        """Whether the directory lets the user in. An empty password would be no question at all, so it is wrong."""
        if not password or len(password) > LONGEST_PASSWORD:
            return False
        if not self._tries.acquire(timeout=WAIT_S):
            raise Unavailable("Too many passwords are being checked; try again.", headers={"Retry-After": "5"})
        try:
            connection = self._open(who.dn, password)
            if connection is not None:
                _close(connection)
            return connection is not None
        finally:
            self._tries.release()

    def _enabled_dns(self) -> frozenset[str] | None:
        """Names of enabled users, where membership of one group says so."""
        if not self.plan.enabled_group_dn:
            return None
        with self._connection() as connection:
            found = self._search(
                connection, self.plan.enabled_group_dn, "(objectClass=*)", ldap3.BASE, [self.plan.member]
            )
        return frozenset(plain_dn(dn) for _, said in found[0] for dn in said.get(self.plan.member.lower(), ()))

    # -- searches --------------------------------------------------------------------------------------------------

    def _entries(self, kind: Kind, wanted: str) -> list[tuple[str, Attributes]]:
        """All entries of a kind that fit, page by page."""
        asked = f"(&(objectClass={escape_filter_chars(kind.object_class)}){kind.more_filter}{wanted})"
        scope = ldap3.SUBTREE if self.plan.whole_subtree else ldap3.LEVEL
        names = sorted({kind.id, kind.name, self.plan.member, self.plan.enabled, *kind.others})
        found: list[tuple[str, Attributes]] = []
        cookie: Any = None
        with self._connection() as connection:
            while True:
                page, cookie = self._search(connection, kind.base, asked, scope, names, cookie)
                found += page
                if len(found) > ENTRIES_LIMIT:
                    raise Unavailable(f"The directory has more than {ENTRIES_LIMIT} entries below {kind.base}.")
                if not cookie:
                    return found

    def _search(
        self, connection: Any, base: str, asked: str, scope: Any, names: list[str], cookie: Any = None
    ) -> tuple[list[tuple[str, Attributes]], Any]:
        """One page, and the cookie for the next one."""
        _, result, response, _ = connection.search(
            base, asked, search_scope=scope, attributes=names, time_limit=ANSWER_S,
            paged_size=self.plan.page_size if scope != ldap3.BASE else None, paged_cookie=cookie,
        )  # fmt: skip
        if result["result"] == NO_SUCH_OBJECT:
            return [], None
        if result["result"] != SUCCESS:
            raise Unavailable(f"The directory did not answer {asked}: {result['description']}.")
        found: list[tuple[str, Attributes]] = [
            (entry["dn"], _texts(entry["raw_attributes"])) for entry in response if entry["type"] == "searchResEntry"
        ]
        return found, result.get("controls", {}).get(PAGES, {}).get("value", {}).get("cookie")

    # -- connections -----------------------------------------------------------------------------------------------

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        """A bound connection of the pool; one that failed is not used again."""
        if not self._slots.acquire(timeout=WAIT_S):
            raise Unavailable("The directory is asked too much at once; try again.", headers={"Retry-After": "5"})
        connection = None
        try:
            connection, since = self._idle_one() or (self._open(self.plan.bind_dn, self.plan.bind_password), _now())
            if connection is None:
                raise Unavailable("The directory refuses the account that the domain's configuration names.")
            try:
                yield connection
            except LDAPException as error:
                raise Unavailable(f"The directory did not answer: {error}.") from None
            with self._lock:
                self._idle.append((connection, since))
                connection = None
        finally:
            if connection is not None:
                _close(connection)
            self._slots.release()

    def close(self) -> None:
        """Close what nobody uses; what somebody uses goes when it is given back and too old."""
        with self._lock:
            while self._idle:
                _close(self._idle.pop()[0])

    def _idle_one(self) -> tuple[Any, float] | None:
        while True:
            with self._lock:
                if not self._idle:
                    return None
                connection, since = self._idle.pop()
            if _now() - since < self.plan.pool_lifetime_s and not connection.closed:
                return connection, since
            _close(connection)

    def _open(self, dn: str | None, password: str | None) -> Any:
        """A bound connection to the first server that answers; None when it refuses the password."""
        last: Exception | None = None
        for server in self.plan.servers:
            try:
                connection: Any = self._connect(server, dn, password)
            except LDAPException as error:
                last = error
                continue
            _, result, _, _ = connection.bind()
            if result["result"] == SUCCESS:
                return connection
            _close(connection)
            if result["result"] == INVALID_CREDENTIALS:
                return None
            last = Unavailable(str(result["description"]))
        raise Unavailable(f"The directory cannot be reached: {last}. Try again.")

    def _connect(self, server: Server, dn: str | None, password: str | None) -> Any:
        tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=self.plan.ca_file)
        there = ldap3.Server(
            server.host, server.port, use_ssl=server.is_tls, tls=tls, get_info=ldap3.NONE,
            connect_timeout=self.plan.connect_s,
        )  # fmt: skip
        connection = ldap3.Connection(
            there, dn, password, client_strategy=ldap3.SAFE_SYNC, auto_bind=ldap3.AUTO_BIND_NONE,
            authentication=ldap3.SIMPLE if dn else ldap3.ANONYMOUS, auto_referrals=False, read_only=True,
            receive_timeout=ANSWER_S, check_names=False,
        )  # fmt: skip
        try:
            connection.open()
            if self.plan.start_tls and not server.is_tls:
                connection.start_tls()
        except LDAPException:
            if connection.socket is not None:  # The library leaves it open.
                connection.socket.close()
            raise
        return connection


def _now() -> float:
    return time.monotonic()


def _close(connection: Any) -> None:
    try:
        connection.unbind()
    except (LDAPException, OSError):
        return


def _texts(raw: Any) -> dict[str, list[str]]:
    """Attributes as texts; what is no text is no attribute for us."""
    found: dict[str, list[str]] = {}
    for name, values in raw.items():
        texts = []
        for value in values[:_VALUE_LIMIT]:
            try:
                texts.append(value.decode().replace("\0", ""))
            except UnicodeDecodeError:
                continue
        found[name.lower()] = texts
    return found


_directories: dict[str, Directory] = {}
_lock = threading.Lock()


def directory_of(plan: Plan) -> Directory:
    """The connections to a domain's directory, made anew when its configuration changed."""
    with _lock:
        found = _directories.get(plan.domain_id)
        if found is not None and found.plan == plan:
            return found
        if found is not None:
            found.close()
        found = _directories[plan.domain_id] = Directory(plan)
        return found


def close_all() -> None:
    """No idle connection stays open."""
    with _lock:
        while _directories:
            _directories.popitem()[1].close()
