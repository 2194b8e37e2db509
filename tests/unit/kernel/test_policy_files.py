"""An operator's files: upstream's names and language, read again when they change, refused with file and rule."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pilvi.compute.servers import policy as servers
from pilvi.kernel import policy_files
from pilvi.kernel.context import Context, Principal
from pilvi.kernel.errors import Forbidden
from pilvi.kernel.policy_files import Overrides, Watch, apply, read
from pilvi.kernel.policy_language import PolicyError

MEMBER = Context("req-1", Principal(user_id="u", project_id="p", roles=frozenset({"member", "reader"})))
AUDITOR = Context("req-2", Principal(user_id="a", project_id="q", roles=frozenset({"auditor"})))


@pytest.fixture(autouse=True)
def defaults_again() -> Iterator[None]:
    yield
    apply(Overrides())


def write(folder: Path, text: str, name: str = "compute.yaml") -> None:
    (folder / name).write_text(text)


def test_a_rule_is_what_the_file_says(tmp_path: Path) -> None:
    write(tmp_path, '"os_compute_api:servers:create": "rule:builder and not role:reader"\nbuilder: role:member\n')
    overrides = read(tmp_path)
    assert overrides.warnings == []
    servers.CREATE.check(MEMBER, project_id="p")
    apply(overrides)
    with pytest.raises(Forbidden):
        servers.CREATE.check(MEMBER, project_id="p")
    servers.DELETE.check(MEMBER, project_id="p")
    apply(Overrides())
    servers.CREATE.check(MEMBER, project_id="p")


def test_building_blocks_and_defaults_can_be_referred_to(tmp_path: Path) -> None:
    text = '{"os_compute_api:servers:index": "rule:os_compute_api:servers:show or role:auditor", '
    text += '"os_compute_api:servers:show": "rule:project_reader_or_admin"}'
    write(tmp_path, text, "compute.json")
    apply(read(tmp_path))
    servers.LIST.check(AUDITOR, project_id="p")
    servers.LIST.check(MEMBER, project_id="p")
    with pytest.raises(Forbidden):
        servers.SHOW.check(AUDITOR, project_id="p")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"os_compute_api:servers:create": "role:member and"', "os_compute_api:servers:create: a check is missing"),
        (
            '"os_compute_api:servers:create": "rule:network_ownr"',
            "there is no rule 'network_ownr'; is it 'network_owner'?",
        ),
        ("a: rule:b\nb: rule:a", "refer to each other"),
        ("context_is_admin: role:boss", "cannot be changed as a whole. Let the role imply admin"),
        ("- role:admin", "must map names of rules to rules"),
        ("a: [", "is not YAML"),
        ("a: {b: c}", "a rule is text, not dict"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, says: str, tmp_path: Path) -> None:
    write(tmp_path, text)
    with pytest.raises(PolicyError) as caught:
        read(tmp_path)
    assert says in str(caught.value)
    assert "compute.yaml" in str(caught.value)


def test_one_rule_stands_in_one_file(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        write(tmp_path, '"os_compute_api:servers:create": "role:member"', name)
    with pytest.raises(PolicyError, match=r"stands in a\.yaml and in b\.yaml"):
        read(tmp_path)


def test_names_of_rules_that_this_cloud_does_not_have_are_said(tmp_path: Path) -> None:
    write(tmp_path, '"os_compute_api:os-baremetal-nodes": "role:admin"')
    assert "os-baremetal-nodes is no rule of this cloud" in read(tmp_path).warnings[0]
    assert read(tmp_path, only_own=True).warnings == []


def test_a_changed_file_counts_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    write(tmp_path, '"os_compute_api:servers:create": "!"')
    watch.look()
    assert not servers.CREATE.allows(MEMBER, project_id="p")
    write(tmp_path, '"os_compute_api:servers:create": "role:"member"')
    watch.look()
    assert not servers.CREATE.allows(MEMBER, project_id="p")
    (tmp_path / "compute.yaml").unlink()
    watch.look()
    assert servers.CREATE.allows(MEMBER, project_id="p")


def test_a_broken_file_stops_a_process_at_its_start(tmp_path: Path) -> None:
    write(tmp_path, '"os_compute_api:servers:create": "role"')
    with pytest.raises(PolicyError, match="'role' is no check"):
        Watch(tmp_path)


def test_too_much_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "#" * (policy_files.LARGEST_BYTES + 1))
    with pytest.raises(PolicyError, match="larger than"):
        read(tmp_path)
