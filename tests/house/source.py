"""What the house checks look at: the package's files as text and as syntax trees."""

import ast
import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "pilvi"
SERVICES = ("identity", "placement", "object_store", "image", "block_storage", "network", "compute")
ROOMS = {"api", "wire", "policy", "service", "model", "store", "reconcile", "host", "stream", "__init__"}
NOT_RESOURCES = {"drivers", "migrations", "__pycache__", "scheduling", "inspector"}  # The last two are pure reckoning.


@functools.cache
def waivers() -> dict[str, dict[str, str]]:
    return tomllib.loads((ROOT / "tests" / "house" / "waivers.toml").read_text())


@functools.cache
def files() -> tuple[Path, ...]:
    return tuple(sorted(PACKAGE.rglob("*.py")))


@functools.cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def resources() -> Iterator[Path]:
    """The folders that must have the rooms."""
    for service in SERVICES:
        folder = PACKAGE / service
        if folder.is_dir():
            yield from (each for each in sorted(folder.iterdir()) if each.is_dir() and each.name not in NOT_RESOURCES)


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
