"""The checked-in list of operations has no gap where the cloud must have none, and names tests that exist."""

from pathlib import Path

from pilvi import main
from pilvi.kernel.config import CloudConfig, Config
from tests.contract.checklist import TABLE, Operation, operations

ROOT = Path(__file__).parents[2]
LIVE = {"/v2/images/{id}/file", "/v2/images/{id}/stage"}


def lines() -> dict[str, str]:
    """Operation → what is said of it."""
    found = {}
    for line in TABLE.read_text().splitlines():
        if line and not line.startswith("#"):
            name, _, covered = line.partition(" | ")
            found[" ".join(name.split())] = covered
    return found


def test_the_table_has_every_operation_of_the_checklist() -> None:
    assert sorted(lines()) == sorted(" ".join(operation.name.split()) for operation in operations())


def test_the_checklist_is_as_long_as_the_list_of_features_says() -> None:
    counts: dict[str, int] = {}
    for operation in operations():
        key = f"{operation.service} {operation.priority}"
        counts[key] = counts.get(key, 0) + 1
    wanted = {"identity A": 88, "identity B": 115, "identity C": 35, "image A": 25, "image B": 58}
    assert counts == wanted | {"placement A": 30, "placement B": 6}


def test_operations_of_groups_a_and_b_have_a_test() -> None:
    assert [name for name, covered in lines().items() if covered == "-" and name[0] in "AB"] == []


def test_the_tests_are_there() -> None:
    gone = []
    for name, covered in lines().items():
        if covered == "-":
            continue
        path, _, function = covered.split()[0].partition("::")
        file = ROOT / path
        if not file.exists() or f"def {function.rpartition('::')[2]}(" not in file.read_text():
            gone.append(f"{name}: {covered}")
    assert gone == []


def test_the_operations_are_routes() -> None:
    """Of each that is not refused on purpose there is a route, or `live` serves it."""
    routes = set()
    for service in main.services_of(Config(cloud=CloudConfig(state_dir=Path("/nowhere")))):
        root = service.root or service.prefix
        for route in service.routes:
            path = (service.prefix + route.path).removeprefix(root) or "/"
            routes.add(f"{route.service} {route.method} {path}")
    missing = [o.name for o in operations() if o.priority != "C" and not o.refusal and not served(o, routes)]
    assert missing == []


def served(operation: Operation, routes: set[str]) -> bool:
    if operation.path in LIVE or any(operation.matches(route) for route in routes):
        return True
    above = operation.path.rpartition("/")[0]  # One schema of many: the route has a name in braces there.
    wide = Operation(operation.priority, operation.service, operation.method, above + "/{name}")
    return any(wide.matches(route) for route in routes)
