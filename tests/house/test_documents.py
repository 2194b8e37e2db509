"""What an operator can type or set is documented, and what is documented exists."""

import dataclasses
import re
import subprocess
import sys

from pilvi.cli.commands import app
from pilvi.kernel.config import Config
from tests.house.source import ROOT

OPERATE = ROOT / "docs" / "operate"


def test_every_setting_is_documented() -> None:
    text = (OPERATE / "configuration.md").read_text()
    wanted = {
        f"`{part.name}.{key.name}`"
        for part in dataclasses.fields(Config)
        if dataclasses.is_dataclass(part.default_factory)
        for key in dataclasses.fields(part.default_factory)
    }
    assert sorted(wanted) == sorted(set(re.findall(r"^\| (`[a-z]+\.[a-z_]+`)", text, re.MULTILINE)))


def test_every_command_and_option_is_documented() -> None:
    text = (OPERATE / "commands.md").read_text()
    commands = [name for name in app if not name.startswith("-")]
    assert [name for name in commands if f"## {name}" not in text] == []
    below = {f"{name} {inner}": app[name][inner] for name in commands for inner in below_of(name)}
    assert [name for name in below if f"./pilvi {name}" not in text] == []
    options = {
        option
        for command in [*(app[name] for name in commands if not below_of(name)), *below.values()]
        for argument in command.assemble_argument_collection()
        for option in argument.names
        if option.startswith("--") and not option.startswith(("--no-", "--empty-"))
    }
    assert sorted(option for option in options if option not in text and argument_is_named(option)) == []


def below_of(name: str) -> list[str]:
    return [inner for inner in app[name] if inner[0] != "-"]


def argument_is_named(option: str) -> bool:
    """Positional words have a name for the machine only."""
    return option not in {"--server", "--what", "--kind", "--command", "--words", "--names", "--rule", "--part"}


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text())
        if not (path.parent / target).exists()
    ]
    assert broken == []


def test_locks_name_no_index_and_hash_everything() -> None:
    for lock in (ROOT / "requirements").glob("*.lock"):
        text = lock.read_text()
        assert "://" not in text
        entries = re.split(r"\n(?=\S)", text.strip())
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_has_what_the_project_asks_for() -> None:
    """Every direct dependency is locked; `./pilvi lock` writes the locks anew."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = {re.split(r"[\[<>=]", name)[0].lower() for name in project["project"]["dependencies"]}
    locked = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / "run.lock").read_text(), re.MULTILINE))
    assert asked - locked == set()


def test_the_package_has_no_undeclared_dependency() -> None:
    """Importing every module of the run-time needs only what the run-time lock installs."""
    script = "import pilvi.cli.commands, sys; print('pytest' in sys.modules, 'hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False False"
