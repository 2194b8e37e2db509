"""People whose rights come and go: what was taken away, or ended with what it rested on, never works after the answer,
whichever process is asked next; what was given works from the answer on."""

from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.sim.paths import IDENTITY, NETWORK
from tests.sim.wire import Lost, Reply
from tests.sim.workload.asking import Asking

LOOKS = 3
"""How often a dead token is tried."""
ROLE = "member"


class Given(Exception):
    """An answer that leaves open what became of it: nothing can be said of the rest."""


@dataclass
class Person:
    """Somebody with rights of their own, and the tokens that come of them, by what they rest on."""

    user: str
    project: str
    domain: str
    group: str
    password: str
    tokens: dict[str, str] = field(default_factory=dict)
    credential: str = ""
    trust: str = ""
    trustee: str = ""


ALL = ("password", "token", "credential", "trust")
TAKEN: dict[str, tuple[str, ...]] = {
    "the role": ALL, "the group's member": ALL, "the group": ALL, "the user, disabled": ALL, "the user": ALL,
    "the project, disabled": ALL, "the project": ALL, "the domain, disabled": ALL,
    "the password": ("password", "token"), "the token": ("password",), "the credential": ("credential",),
    "the trust": ("trust",), "the trustee, disabled": ("trust",), "all tokens": ("password", "token"),
}  # fmt: skip
"""What is taken away, and which tokens end with it."""
BY_TIME = ("the user, disabled", "the project, disabled", "the domain, disabled", "the password", "all tokens",
           "the trustee, disabled")  # fmt: skip
"""They end what was issued before a time, so they are as good as the clocks."""


class RightsActions(Asking):
    rights_checked = 0
    _turn = 0

    def give_and_take(self) -> None:
        """One life: somebody gets rights, hands some on, and loses them."""
        try:
            person = self._somebody()
            self._enter(person)
            what = self._what_to_take(person)
            self._pause()
            self._must(self._take(person, what))
        except Given:
            return
        dead = [name for name in TAKEN[what] if name in person.tokens]
        for _ in range(LOOKS):
            self._pause()
            for name in dead:
                self._must_be_dead(what, name, person.tokens[name])

    def _pause(self) -> None:
        self.world.scheduler.sleep(self.rng.choice((0.0, 0.1, 2.0)))

    def _must(self, reply: Reply) -> Reply:
        if reply.status >= 300:
            raise Given
        return reply

    def _identity(self, method: str, path: str, body: Any = None, who: str = "admin") -> Reply:
        """Not for the atlas: nobody else may touch these."""
        return self._ask(who, method, f"{IDENTITY}{path}", body)

    def _new(self, path: str, root: str, **values: Any) -> str:
        reply = self._must(self._identity("POST", path, {root: {"name": self._name(f"own-{root}"), **values}}))
        return str(reply.body[root]["id"])

    # -- what is given ---------------------------------------------------------------------------------------------

    def _somebody(self) -> Person:
        domain = self._new("/domains", "domain")
        password = self._name("secret")
        user = self._new("/users", "user", password=password, domain_id=domain)
        project = self._new("/projects", "project", domain_id=domain)
        person = Person(user, project, domain, "", password)
        actor = f"users/{user}"
        if self.rng.random() < 0.4:
            person.group = self._new("/groups", "group", domain_id=domain)
            self._must(self._identity("PUT", f"/groups/{person.group}/users/{user}"))
            actor = f"groups/{person.group}"
        self._must(self._identity("PUT", f"/projects/{project}/{actor}/roles/{self._role()}"))
        return person

    def _role(self) -> str:
        return self.world.ground.roles[ROLE]

    def _enter(self, person: Person) -> None:
        """All tokens that this person can come by."""
        user = {"id": person.user, "password": person.password}
        person.tokens["password"] = self._login({"methods": ["password"], "password": {"user": user}}, person.project)
        me = person.tokens["password"]
        if self.rng.random() < 0.5:
            person.tokens["token"] = self._login({"methods": ["token"], "token": {"id": me}}, person.project)
        if self.rng.random() < 0.5:
            self._hand_to_a_program(person, me)
        if self.rng.random() < 0.5 and not person.group:
            self._hand_to_a_friend(person, me)

    def _login(self, identity: dict[str, Any], project: str = "", scope: Any = None) -> str:
        if project:
            scope = {"project": {"id": project}}
        reply = self._ask("", "POST", f"{IDENTITY}/auth/tokens", self._auth(identity, scope))
        if reply.status == 401 and not self._clocks_were_wrong():
            self.world.violate("what was given works", f"a login by {identity['methods']} was refused")
        return _token_of(self._must(reply))

    def _auth(self, identity: dict[str, Any], scope: Any) -> dict[str, Any]:
        return {"auth": {"identity": identity, **({"scope": scope} if scope is not None else {})}}

    def _hand_to_a_program(self, person: Person, me: str) -> None:
        body = {"application_credential": {"name": self._name("robot")}}
        path = f"/users/{person.user}/application_credentials"
        made = self._must(self._identity("POST", path, body, me)).body["application_credential"]
        person.credential = made["id"]
        if self.rng.random() < 0.4:
            person.tokens["credential"] = self._bearer(made["id"], made["secret"])
            return
        proof = {"id": made["id"], "secret": made["secret"]}
        person.tokens["credential"] = self._login(
            {"methods": ["application_credential"], "application_credential": proof}
        )

    def _bearer(self, id: str, secret: str) -> str:
        """The same as programs ask for it that know OAuth 2.0."""
        who = b64encode(f"{id}:{secret}".encode()).decode()
        form = {"Content_Type": "application/x-www-form-urlencoded", "Authorization": f"Basic {who}"}
        path = f"{IDENTITY}/OS-OAUTH2/token"
        given = self._must(self._ask("", "POST", path, b"grant_type=client_credentials", **form))
        return str(given.body["access_token"])

    def _hand_to_a_friend(self, person: Person, me: str) -> None:
        password = self._name("secret")
        person.trustee = self._new("/users", "user", password=password, domain_id="default")
        trust = {
            "trustor_user_id": person.user, "trustee_user_id": person.trustee, "impersonation": self.rng.random() < 0.5,
            "project_id": person.project, "roles": [{"name": ROLE}],
        }  # fmt: skip
        made = self._must(self._identity("POST", "/OS-TRUST/trusts", {"trust": trust}, me))
        person.trust = made.body["trust"]["id"]
        user = {"id": person.trustee, "password": password}
        person.tokens["trust"] = self._login(
            {"methods": ["password"], "password": {"user": user}}, scope={"OS-TRUST:trust": {"id": person.trust}}
        )

    # -- what is taken ---------------------------------------------------------------------------------------------

    def _what_to_take(self, person: Person) -> str:
        """The next way in turn, if this person has what it takes."""
        needs = {
            "the role": not person.group, "the group's member": person.group, "the group": person.group,
            "the credential": person.credential, "the trust": person.trust, "the trustee, disabled": person.trust,
        }  # fmt: skip
        self._turn += 1
        ways = list(TAKEN)
        found = [*ways[(self.world.seed + self._turn) % len(ways) :], *ways]
        return next(what for what in found if needs.get(what, True))

    def _take(self, person: Person, what: str) -> Reply:
        user, project, me = f"/users/{person.user}", f"/projects/{person.project}", person.tokens["password"]
        off, credential = {"enabled": False}, f"{user}/application_credentials/{person.credential}"
        ways: dict[str, Callable[[], Reply]] = {
            "the role": lambda: self._identity("DELETE", f"{project}{user}/roles/{self._role()}"),
            "the group's member": lambda: self._identity("DELETE", f"/groups/{person.group}{user}"),
            "the group": lambda: self._identity("DELETE", f"/groups/{person.group}"),
            "the user, disabled": lambda: self._identity("PATCH", user, {"user": off}),
            "the user": lambda: self._identity("DELETE", user),
            "the project, disabled": lambda: self._identity("PATCH", project, {"project": off}),
            "the project": lambda: self._identity("DELETE", project),
            "the domain, disabled": lambda: self._identity("PATCH", f"/domains/{person.domain}", {"domain": off}),
            "the password": lambda: self._change_password(person),
            "the token": lambda: self._revoke(me),
            "the credential": lambda: self._identity("DELETE", credential, None, me),
            "the trust": lambda: self._identity("DELETE", f"/OS-TRUST/trusts/{person.trust}", None, me),
            "the trustee, disabled": lambda: self._identity("PATCH", f"/users/{person.trustee}", {"user": off}),
            "all tokens": lambda: self._identity("DELETE", f"{user}/tokens"),
        }  # fmt: skip
        return ways[what]()

    def _change_password(self, person: Person) -> Reply:
        if self.rng.random() < 0.5:
            return self._identity("PATCH", f"/users/{person.user}", {"user": {"password": self._name("other")}})
        change = {"user": {"original_password": person.password, "password": self._name("other")}}
        return self._identity("POST", f"/users/{person.user}/password", change, "")

    def _revoke(self, token: str) -> Reply:
        return self._ask("admin", "DELETE", f"{IDENTITY}/auth/tokens", None, X_Subject_Token=token)

    # -- what must hold --------------------------------------------------------------------------------------------

    def _must_be_dead(self, what: str, name: str, token: str) -> None:
        """In whatever way it is shown, and to whomever."""
        way = self.rng.randrange(3)
        try:
            if way == 0:
                reply = self._ask(token, "GET", f"{NETWORK}/networks")
            elif way == 1:
                reply = self._ask("admin", "GET", f"{IDENTITY}/auth/tokens", None, X_Subject_Token=token)
            else:
                reply = self.world.download(token, self.image)
        except Lost:
            return
        self.rights_checked += 1
        if reply.status < 400 and not (what in BY_TIME and self._clocks_were_wrong()):
            self.world.violate("what was taken away is gone", f"after {what} the token by {name} still works")

    def _clocks_were_wrong(self) -> bool:
        return self.world.clocks_were_wrong


def _token_of(reply: Reply) -> str:
    return next(value for name, value in reply.headers.items() if name.lower() == "x-subject-token")
