"""Where things lie and how large they are. One visible way out: tests/house/waivers.toml, with a reason."""

import ast
import re

from tests.house import source

LONGEST_FILE_LINES = 500
LONGEST_FUNCTION_LINES = 40
FORBIDDEN_WORDS = {
    "manager",
    "helper",
    "helpers",
    "util",
    "utils",
    "common",
    "base",
    "misc",
    "handler",
    "processor",
    "impl",
}


def test_a_resource_has_the_nine_rooms_and_no_others() -> None:
    """A newcomer guesses the file before opening the folder."""
    strangers = [
        source.name(entry)
        for folder in source.resources()
        for entry in folder.iterdir()
        if entry.name != "__pycache__" and entry.stem not in source.ROOMS and (entry.suffix == ".py" or entry.is_dir())
    ]
    assert strangers == []


def test_only_its_own_folder_touches_a_store() -> None:
    """What one resource's rows mean is known in one place; others ask its service."""
    breaches = []
    for folder in source.resources():
        own = "pilvi." + ".".join(folder.relative_to(source.PACKAGE).parts)
        for path in folder.rglob("*.py"):
            for node in ast.walk(source.tree(path)):
                modules = imported(node)
                foreign = [
                    m for m in modules if re.fullmatch(r"pilvi\.\w+\.\w+\.store", m) and not m.startswith(own + ".")
                ]
                breaches += [f"{source.name(path)}: {module}" for module in foreign if ".standard." not in module]
    assert breaches == []


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    long = {source.name(path) for path in source.files() if len(path.read_text().splitlines()) > LONGEST_FILE_LINES}
    assert long == set(source.waivers()["files"])


def test_no_function_is_longer_than_forty_lines() -> None:
    long = {
        f"{source.name(path)}:{function.name}"
        for path in source.files()
        for function in source.functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > LONGEST_FUNCTION_LINES
    }
    assert long == set(source.waivers()["functions"])


def test_files_and_classes_say_what_they_are() -> None:
    """Manager, helper, util and their kind say nothing."""
    named = [(source.name(path), path.stem) for path in source.files()]
    named += [
        (f"{source.name(path)}:{node.name}", re.sub(r"(?<!^)(?=[A-Z])", "_", node.name).lower())
        for path in source.files()
        for node in ast.walk(source.tree(path))
        if isinstance(node, ast.ClassDef)
    ]
    assert [where for where, word in named if FORBIDDEN_WORDS & set(word.strip("_").split("_"))] == []


def test_every_module_says_what_it_is_for() -> None:
    """A room of a resource is explained by its name; every other module explains itself."""
    silent = [
        source.name(path)
        for path in source.files()
        if path.stem not in source.ROOMS and not ast.get_docstring(source.tree(path))
    ]
    assert silent == []


def test_nothing_is_left_to_do() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [source.name(path) for path in source.files() if marks.search(path.read_text())] == []


def test_a_service_is_silent_about_the_wire() -> None:
    """Nothing below api.py has ever heard of a microversion."""
    below = {"service", "store", "model", "reconcile", "host"}
    heard = [
        source.name(path)
        for folder in source.resources()
        for path in folder.rglob("*.py")
        if folder.name != "versions"
        and (path.stem in below or path.parent.name in below)
        and any("microversion" in module for node in ast.walk(source.tree(path)) for module in imported(node))
    ]
    assert heard == []
