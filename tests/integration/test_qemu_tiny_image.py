"""The tiny image: the same bytes on every build, and no build without a reason."""

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pytest

from pilvi.compute.drivers.image_cache import virtual_size_bytes
from pilvi.ops import tiny_image
from tests.integration import qemu_rig as rig

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="the files in the image belong to root")


def test_the_same_packages_give_the_same_bytes_without_the_network(tmp_path: Path) -> None:
    first = tiny_image.build(rig.TINY_DIR, rig.TINY_DIR / "work")
    shutil.copytree(rig.TINY_DIR / "work" / "debs", tmp_path / "work" / "debs")
    said: list[str] = []
    second = tiny_image.build(tmp_path / "out", tmp_path / "work", said.append)
    assert hashlib.sha256(first.read_bytes()).digest() == hashlib.sha256(second.read_bytes()).digest()
    assert len(said) == 3
    assert [path.name for path in (tmp_path / "work").iterdir()] == ["debs"]
    assert virtual_size_bytes(second, "qcow2") < 64 * 1024 * 1024

    made_at = second.stat().st_mtime_ns
    assert tiny_image.build(tmp_path / "out", tmp_path / "work", said.append) == second
    assert said[-1] == "the tiny image is up to date"
    assert second.stat().st_mtime_ns == made_at


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["pilvi.ops.tiny_image.build"], "environment", lambda: {"PATH": "/nowhere"})
    with pytest.raises(tiny_image.TinyImageFault, match=r"syslinux, .*: not installed"):
        tiny_image.build(tmp_path / "out", tmp_path / "work")
