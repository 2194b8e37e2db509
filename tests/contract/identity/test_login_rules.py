"""Rules of a site about logging in: passcodes once, accounts nobody uses, passwords to be changed first."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from pilvi.identity import settings
from pilvi.identity.users import store
from pilvi.kernel import clock
from tests.contract.identity.conftest import World, by_password, log_in
from tests.contract.identity.test_multi_factor import SECRET, by_passcode, now_code
from tests.contract.identity.test_users import change

DAY_S = 86400.0


class Later:
    """The system's clock, some seconds on."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.former = seconds, clock.use(self)

    def now(self) -> float:
        return self.former.now() + self.seconds

    def monotonic(self) -> float:
        return self.former.monotonic()


@pytest.fixture
def later() -> Iterator[Callable[[float], None]]:
    """`later(seconds)` puts the clock forward until the test ends."""
    made: list[Later] = []
    yield lambda seconds: made.append(Later(seconds))
    while made:
        clock.use(made.pop().former)


@pytest.fixture
def rules() -> Iterator[Callable[..., None]]:
    former = settings.current.passwords

    def use(**changed: Any) -> None:
        settings.current.passwords = replace(former, **changed)

    yield use
    settings.current.passwords = former


def test_a_passcode_is_good_once(world: World, later: Callable[[float], None]) -> None:
    user = world.user()
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    code = now_code()
    assert log_in(world.admin, by_passcode(user["id"], code)).status == 201
    assert log_in(world.admin, by_passcode(user["id"], code)).status == 401
    assert log_in(world.admin, by_passcode(user["id"], now_code(back=1))).status == 201
    later(60)
    assert log_in(world.admin, by_passcode(user["id"], now_code())).status == 201


def test_a_passcode_beside_a_wrong_password_is_not_spent(world: World) -> None:
    user = world.user()
    world.make("/credentials", "credential", type="totp", blob=SECRET, user_id=user["id"])
    code = now_code()
    both = {**by_passcode(user["id"], code), **by_password(user["id"], "wrong"), "methods": ["password", "totp"]}
    assert log_in(world.admin, both).status == 401
    assert log_in(world.admin, by_passcode(user["id"], code)).status == 201
    assert log_in(world.admin, by_passcode(user["id"], "１２３４５６")).status == 401


def test_an_account_that_nobody_uses_counts_as_disabled(
    world: World, rules: Callable[..., None], later: Callable[[float], None]
) -> None:
    rules(inactive_days=30)
    idle, busy, exempt = world.user("idle"), world.user("busy"), world.user("exempt")
    body = {"user": {"options": {"ignore_user_inactivity": True}}}
    assert world.admin.patch(f"/users/{exempt['id']}", body).status == 200
    later(20 * DAY_S)
    assert log_in(world.admin, by_password(busy["id"], "secret")).status == 201
    later(20 * DAY_S)
    statuses = {u["name"]: log_in(world.admin, by_password(u["id"], "secret")).status for u in (idle, busy, exempt)}
    assert statuses == {"idle": 401, "busy": 201, "exempt": 201}
    rules(inactive_days=0)
    assert log_in(world.admin, by_password(idle["id"], "secret")).status == 201


def test_an_inactive_account_is_shown_as_disabled_and_can_be_enabled(world: World, rules: Callable[..., None]) -> None:
    idle = world.user("idle")
    rules(inactive_days=1)
    database = world.admin.database
    database.write(lambda tx: store.update(tx, idle["id"], {"active_at": clock.now() - 3 * DAY_S}))
    assert world.admin.get(f"/users/{idle['id']}").body["user"]["enabled"] is False
    assert log_in(world.admin, by_password(idle["id"], "secret")).status == 401
    assert world.admin.patch(f"/users/{idle['id']}", {"user": {"enabled": True}}).body["user"]["enabled"] is True
    assert log_in(world.admin, by_password(idle["id"], "secret")).status == 201


def test_a_password_set_by_an_administrator_opens_only_its_own_change(world: World, rules: Callable[..., None]) -> None:
    rules(change_first=True)
    user = world.user()
    refused = log_in(world.admin, by_password(user["id"], "secret"))
    assert refused.status == 401
    assert "needs to be changed" in refused.body["error"]["message"]
    assert change(world.admin, user, "secret", "mine") == 204
    assert log_in(world.admin, by_password(user["id"], "mine")).status == 201
    assert world.admin.patch(f"/users/{user['id']}", {"user": {"password": "reset"}}).status == 200
    assert log_in(world.admin, by_password(user["id"], "reset")).status == 401
    robot = world.user("robot", options={"ignore_change_password_upon_first_use": True})
    assert log_in(world.admin, by_password(robot["id"], "secret")).status == 201
