"""Signatures in the place of tokens: EC2, S3 and the dance of OAuth."""

import hmac
from base64 import b64encode
from hashlib import sha1, sha256
from typing import Any
from urllib.parse import parse_qsl, quote

from pilvi.kernel import clock
from tests.sim.ground import TENANTS
from tests.sim.paths import IDENTITY
from tests.sim.wire import Reply
from tests.sim.workload.rights import Given, RightsActions
from tests.sim.workload.walker import Walker

URL = "http://127.0.0.1:8780"


class DelegationActions(RightsActions, Walker):
    def sign_for_amazon(self) -> None:
        """A pair of keys is worth a token to a service, as long as it is there."""
        who = self.rng.choice(TENANTS)
        user, project = self.world.ground.users[who], self.world.ground.projects[who]
        path = f"{IDENTITY}/users/{user}/credentials/OS-EC2"
        made = self.ask(who, "POST", path, {"tenant_id": project})
        if made.status != 201:
            return
        pair = made.body["credential"]
        exchange = self.rng.choice((self._ec2, self._s3))
        exchange(pair)
        if self.rng.random() < 0.5 and self.ask(who, "DELETE", f"{path}/{pair['access']}").status == 204:
            reply = exchange(pair)
            if reply.status < 400:
                self.world.violate("what was taken away is gone", "a deleted EC2 pair still makes tokens")

    def _s3(self, pair: dict[str, str]) -> Reply:
        text = b"GET\n\n\nSun, 22 Nov 2026 15:00:00 GMT\n/bucket/key"
        signature = b64encode(hmac.new(pair["secret"].encode(), text, sha1).digest()).decode()
        given = {"access": pair["access"], "token": b64encode(text).decode(), "signature": signature}
        return self.ask("admin", "POST", f"{IDENTITY}/s3tokens", {"credentials": given})

    def _ec2(self, pair: dict[str, str]) -> Reply:
        params = {"AWSAccessKeyId": pair["access"], "SignatureVersion": "2", "SignatureMethod": "HmacSHA256",
                  "Timestamp": clock.timestamp()[:19] + "Z"}  # fmt: skip
        query = "&".join(f"{_quoted(k)}={_quoted(v)}" for k, v in sorted(params.items()))
        signature = b64encode(hmac.new(pair["secret"].encode(), f"GET\napi\n/\n{query}".encode(), sha256).digest())
        given = {"access": pair["access"], "verb": "GET", "host": "api", "path": "/", "params": params,
                 "signature": signature.decode()}  # fmt: skip
        return self.ask("admin", "POST", f"{IDENTITY}/ec2tokens", {"credentials": given})

    def let_a_robot_do_little(self) -> None:
        """An application credential that opens one path only, and its rules."""
        who = self.rng.choice(TENANTS)
        user = f"{IDENTITY}/users/{self.world.ground.users[who]}"
        rule = {"service": "compute", "method": "GET", "path": f"/v2.1/{self._name('x')}"}
        body = {"application_credential": {"name": self._name("robot"), "access_rules": [rule]}}
        made = self.ask(who, "POST", f"{user}/application_credentials", body)
        if made.status == 201:
            credential = made.body["application_credential"]
            path = f"{user}/access_rules/{credential['access_rules'][0]['id']}"
            self.ask(who, self.rng.choice(("GET", "HEAD")), path)
            self.ask(who, "DELETE", f"{user}/application_credentials/{credential['id']}")
            self.ask(who, "DELETE", path)

    # -- OAuth -----------------------------------------------------------------------------------------------------

    def dance(self) -> None:
        """A consumer asks, somebody gives, the consumer acts; then it is taken back."""
        try:
            self._dance()
        except Given:
            return

    def _dance(self) -> None:
        who = self.rng.choice(TENANTS)
        user, project = self.world.ground.users[who], self.world.ground.projects[who]
        body = {"consumer": {"description": self._name("app")}}
        consumer = self._must(self.ask("admin", "POST", f"{IDENTITY}/OS-OAUTH1/consumers", body)).body["consumer"]
        asked = self._signed(
            "/OS-OAUTH1/request_token", consumer, None, {"oauth_callback": "oob"}, {"Requested_Project_Id": project}
        )
        request = dict(parse_qsl(self._must(asked).content.decode()))
        said = self.ask(who, "PUT", f"{IDENTITY}/OS-OAUTH1/authorize/{request['oauth_token']}",
                        {"roles": [{"name": "member"}]})  # fmt: skip
        verifier = self._must(said).body["token"]["oauth_verifier"]
        fetched = self._signed("/OS-OAUTH1/access_token", consumer, request, {"oauth_verifier": verifier}, {})
        access = dict(parse_qsl(self._must(fetched).content.decode()))
        place = f"{IDENTITY}/users/{user}/OS-OAUTH1/access_tokens/{access['oauth_token']}"
        self.atlas.add(who, f"{place}/roles/{self.world.ground.roles['member']}")
        self.follow(f"{place}/roles")
        self.follow(f"{place}/roles/{self.world.ground.roles['member']}")
        auth = {"auth": {"identity": {"methods": ["oauth1"], "oauth1": {}}}}
        entered = self._must(self._signed("/auth/tokens", consumer, access, {}, {}, auth))
        token = next(value for name, value in entered.headers.items() if name.lower() == "x-subject-token")
        if self.rng.random() < 0.5:
            self._must(self.ask(who, "DELETE", place))
            self._must_be_dead("the access token", "oauth1", token)

    def _signed(
        self, path: str, consumer: dict[str, str], token: dict[str, str] | None, more: dict[str, str],
        headers: dict[str, str], body: Any = None,
    ) -> Reply:  # fmt: skip
        """As a client of RFC 5849 signs `POST path`."""
        parameters = {
            "oauth_consumer_key": consumer["id"], "oauth_nonce": f"{self.rng.getrandbits(64):016x}",
            "oauth_timestamp": str(int(clock.now())), "oauth_signature_method": "HMAC-SHA1", "oauth_version": "1.0",
            **more, **({"oauth_token": token["oauth_token"]} if token else {}),
        }  # fmt: skip
        joined = "&".join(sorted(f"{_quoted(k)}={_quoted(v)}" for k, v in parameters.items()))
        text = "&".join(map(_quoted, ("POST", URL + IDENTITY + path, joined)))
        key = f"{_quoted(consumer['secret'])}&{_quoted(token['oauth_token_secret'] if token else '')}"
        parameters["oauth_signature"] = b64encode(hmac.new(key.encode(), text.encode(), sha1).digest()).decode()
        header = "OAuth " + ", ".join(f'{_quoted(k)}="{_quoted(v)}"' for k, v in parameters.items())
        return self._ask("", "POST", IDENTITY + path, body, Authorization=header, **headers)


def _quoted(text: str) -> str:
    return quote(text, safe="-._~")
