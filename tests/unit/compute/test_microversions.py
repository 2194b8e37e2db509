"""The list of compute microversions and the marks on fields and routes agree."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pilvi.compute
from pilvi.compute.microversions import HISTORY
from pilvi.compute.routes import ROOMS, VERSIONS
from pilvi.kernel.microversion import minor
from pilvi.kernel.wire import FOREVER, Body, RequiredSince, View

ROOT = Path(__file__).parents[3]
BEHAVIOUR_ONLY = {
    "2.1": "everything",
    "2.5": "test_servers.test_ip6_is_a_filter_for_everyone_from_2_5",
    "2.7": "test_flavors.test_access_of_a_public_flavor_is_refused",
    "2.10": "test_keypairs.test_an_administrator_may_act_for_a_user_from_2_10",
    "2.18": "test_servers.test_the_project_may_stand_in_the_path",
    "2.21": "test_servers.test_a_deleted_server_goes_when_its_host_says_that_nothing_is_left",
    "2.27": "tests/unit/kernel/test_microversion.py",
    "2.33": "test_operators.test_hypervisors_are_paged_from_2_33",
    "2.35": "test_keypairs.test_keypairs_are_paged_from_2_35",
    "2.37": "test_servers.test_networks_must_be_named_from_2_37",
    "2.38": "test_servers.test_lists_page_sort_and_filter",
    "2.39": "test_quotas.test_names_leave_with_their_versions",
    "2.36": "test_quotas.test_names_leave_with_their_versions",
    "2.50": "test_quotas.test_names_leave_with_their_versions",
    "2.51": "test_operators.test_everyone_sees_events_from_2_51",
    "2.62": "test_operators.test_events_show_their_host_from_2_62",
}
"""Versions that changed a meaning and no shape, with the test that holds them."""

ELSEWHERE = {
    "2.4", "2.8", "2.9", "2.12", "2.13", "2.14", "2.15", "2.17", "2.20", "2.22", "2.23", "2.24", "2.25", "2.29",
    "2.30", "2.34", "2.40", "2.41", "2.42", "2.43", "2.44", "2.45", "2.46", "2.47", "2.48", "2.49", "2.54", "2.56",
    "2.57", "2.58", "2.59", "2.60", "2.61",
}  # fmt: skip
"""Versions of operations that this cloud does not have yet, or whose marks are counted below."""


def classes(base: type) -> list[type]:
    found = []
    for module in pkgutil.walk_packages(pilvi.compute.__path__, "pilvi.compute."):
        if module.name.endswith((".wire", ".api")):
            members = inspect.getmembers(importlib.import_module(module.name), inspect.isclass)
            found += [kind for _, kind in members if issubclass(kind, base) and kind is not base]
    return found


def marks() -> set[int]:
    """Every version that a field or a route names."""
    found: set[int] = set()
    for kind in [*classes(Body), *classes(View)]:
        for field in kind.own_fields():  # type: ignore[attr-defined]
            found |= {field.since, 0 if field.until == FOREVER else field.until + 1}
            required = field.mark(RequiredSince)
            found |= {minor(required.version)} if required else set()
    for room in ROOMS:
        for route in room.routes.routes:
            found |= {route.since, 0 if route.until == FOREVER else route.until + 1}
            if not isinstance(route.status, int):
                found |= {minor(version) for version in route.status}
    return found - {0}


def test_no_mark_names_a_version_that_is_not_listed() -> None:
    listed = {minor(version) for version in HISTORY}
    assert marks() - listed == set()


def test_every_listed_version_is_borne_by_a_mark_a_test_or_an_operation_we_do_not_have() -> None:
    borne = marks() | {minor(v) for v in BEHAVIOUR_ONLY} | {minor(v) for v in ELSEWHERE}
    assert {v for v in HISTORY if minor(v) not in borne} == set()


def test_every_named_test_exists() -> None:
    for named in BEHAVIOUR_ONLY.values():
        if named.endswith(".py"):
            assert (ROOT / named).is_file(), named
        elif "." in named:
            module, _, function = named.partition(".")
            text = (ROOT / "tests/contract/compute" / f"{module}.py").read_text()
            assert f"def {function}(" in text, f"{named} is promised and not there"


def test_what_is_announced_is_the_end_of_the_list() -> None:
    assert VERSIONS.text(VERSIONS.maximum) == list(HISTORY)[-1] == "2.62"
    assert [minor(v) for v in HISTORY] == list(range(1, VERSIONS.maximum + 1))
