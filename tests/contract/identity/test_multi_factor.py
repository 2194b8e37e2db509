"""Logging in with a one-time passcode, and with several methods one after the other."""

from dataclasses import replace
from typing import Any

from pilvi.identity.logins.model import passcode
from pilvi.kernel import clock
from tests.contract.identity.conftest import World, by_password, log_in, token_of

SECRET = "JBSWY3DPEHPK3PXP"


def now_code(back: int = 0) -> str:
    return passcode(SECRET, int(clock.now() // 30) - back) or ""


def by_passcode(user_id: str, code: str) -> dict[str, Any]:
    return {"methods": ["totp"], "totp": {"user": {"id": user_id, "passcode": code}}}


def guarded(world: World) -> dict[str, Any]:
    user = world.user(options={"multi_factor_auth_rules": [["password", "totp"]]})
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    return user


def test_a_passcode_opens_alone_where_no_rule_asks_for_more(world: World) -> None:
    user = world.user()
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    assert log_in(world.admin, by_passcode(user["id"], now_code())).status == 201
    assert log_in(world.admin, by_passcode(user["id"], now_code(back=40))).status == 401
    assert log_in(world.admin, by_passcode("0" * 32, now_code())).status == 401


def test_one_method_of_two_gives_a_receipt_that_the_second_completes(world: World) -> None:
    user = guarded(world)
    first = log_in(world.admin, by_password(user["id"], "secret"))
    assert first.status == 401
    assert first.body["required_auth_methods"] == [["password", "totp"]]
    assert first.body["receipt"]["methods"] == ["password"]
    receipt = next(v for n, v in first.headers.items() if n.lower() == "openstack-auth-receipt")
    holder = replace(world.admin, headers={"Openstack-Auth-Receipt": receipt})
    second = log_in(holder, by_passcode(user["id"], now_code()))
    assert second.status == 201, second.content
    assert set(second.body["token"]["methods"]) == {"password", "totp"}
    again = {"methods": ["token"], "token": {"id": token_of(second)}}
    assert log_in(world.admin, again, "unscoped").status == 201
    other = world.user("bob")
    assert log_in(holder, by_password(other["id"], "secret")).status == 401
    forged = replace(world.admin, headers={"Openstack-Auth-Receipt": "x" * 50})
    assert log_in(forged, by_passcode(user["id"], now_code())).status == 401


def test_both_methods_at_once_need_no_receipt(world: World) -> None:
    user = guarded(world)
    both = {**by_passcode(user["id"], now_code()), **by_password(user["id"], "secret")}
    both["methods"] = ["password", "totp"]
    assert log_in(world.admin, both).status == 201
    assert log_in(world.admin, by_passcode(user["id"], now_code())).status == 401


def test_a_receipt_alone_proves_nothing(world: World) -> None:
    user = guarded(world)
    first = log_in(world.admin, by_password(user["id"], "secret"))
    receipt = next(v for n, v in first.headers.items() if n.lower() == "openstack-auth-receipt")
    holder = replace(world.admin, headers={"Openstack-Auth-Receipt": receipt})
    assert log_in(holder, {"methods": ["receipt"]}).status == 401
    assert log_in(holder, {"methods": []}).status == 400
    assert log_in(holder, by_passcode(user["id"], "000000")).status == 401
