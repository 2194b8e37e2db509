"""The image cache: verified, fetched once, bounded, and never emptied under a guest."""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from pilvi.compute.drivers.image_cache import Image, ImageCache
from pilvi.compute.drivers.protocol import DriverFault


def image_of(content: bytes, disk_format: str = "raw", id: str = "one") -> Image:
    return Image(id, hashlib.sha512(content).hexdigest(), disk_format, len(content), len(content))


def serving(content: bytes, fetched: list[str] | None = None) -> Callable[[str, BinaryIO], None]:
    def download(image_id: str, file: BinaryIO) -> None:
        if fetched is not None:
            fetched.append(image_id)
        file.write(content)

    return download


def qcow2(*, backing: int = 0, incompatible: int = 0) -> bytes:
    header = b"QFI\xfb" + (3).to_bytes(4) + backing.to_bytes(8) + bytes(56) + incompatible.to_bytes(8)
    return header.ljust(512, b"\0")


def test_an_image_is_fetched_once_and_cannot_be_written(tmp_path: Path) -> None:
    fetched: list[str] = []
    cache = ImageCache(tmp_path / "cache", serving(b"content", fetched))
    threads = [threading.Thread(target=cache.ensure, args=(image_of(b"content"),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = cache.ensure(image_of(b"content"))
    assert fetched == ["one"]
    assert found.path.read_bytes() == b"content"
    assert found.path.stat().st_mode & 0o222 == 0
    assert (tmp_path / "cache").stat().st_mode & 0o077 == 0


def test_a_damaged_image_is_not_kept(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "cache", serving(b"damaged"))
    with pytest.raises(DriverFault, match="damaged") as fault:
        cache.ensure(image_of(b"content"))
    assert fault.value.retry
    assert list((tmp_path / "cache").iterdir()) == []


def test_an_image_without_a_digest_is_refused(tmp_path: Path) -> None:
    cache = ImageCache(tmp_path / "cache", serving(b""))
    with pytest.raises(DriverFault, match="SHA-512"):
        cache.ensure(Image("one", "../../etc/passwd", "raw", 1, 1))


@pytest.mark.parametrize("content", [qcow2(backing=200), qcow2(incompatible=4), b"no qcow2 at all" * 20])
def test_a_qcow2_that_names_other_files_or_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    cache = ImageCache(tmp_path / "cache", serving(content))
    with pytest.raises(DriverFault) as fault:
        cache.ensure(image_of(content, "qcow2"))
    assert not fault.value.retry
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_oldest_image_that_no_guest_uses_makes_room(tmp_path: Path) -> None:
    contents = [bytes([n]) * 100 for n in range(4)]

    def download(image_id: str, file: BinaryIO) -> None:
        file.write(contents[int(image_id)])

    cache = ImageCache(tmp_path / "cache", download, most_bytes=250)
    paths = []
    for number in range(3):
        paths.append(cache.ensure(image_of(contents[number], id=str(number))).path)
        os.utime(paths[-1], (number + 1, number + 1))
        if number == 0:
            os.link(paths[0], tmp_path / "guest")
    assert [path.exists() for path in paths] == [True, False, True]
    cache.ensure(image_of(contents[3], id="3"))
    assert [path.exists() for path in paths] == [True, False, False]


def test_what_an_interrupted_fetch_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(b"half")
    ImageCache(tmp_path, serving(b""))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(shutil.which("qemu-img") is None, reason="needs qemu-img")
@pytest.mark.skipif(os.geteuid() != 0, reason="the converter runs as another user")
def test_other_formats_are_turned_into_qcow2_by_an_unprivileged_process(tmp_path: Path) -> None:
    source = tmp_path / "source.vmdk"
    assert os.spawnlp(os.P_WAIT, "qemu-img", "qemu-img", "create", "-q", "-f", "vmdk", str(source), "2M") == 0
    content = source.read_bytes()
    found = ImageCache(tmp_path / "cache", serving(content)).ensure(image_of(content, "vmdk"))
    assert (found.disk_format, found.virtual_size_bytes) == ("qcow2", 2 * 1024 * 1024)
    assert found.path.read_bytes().startswith(b"QFI\xfb")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache", "source.vmdk"]


@pytest.mark.parametrize(
    ("content", "said", "found"),
    [
        (qcow2(), "raw", "qcow2"), (b"KDMV" + bytes(600), "raw", "vmdk"), (b"vhdxfile" + bytes(600), "qcow2", "vhdx"),
        (bytes(64) + b"\x7f\x10\xda\xbe" + bytes(600), "raw", "vdi"), (qcow2(), "vmdk", "qcow2"),
    ],
)  # fmt: skip
def test_an_image_that_is_something_else_is_refused_with_its_true_format(
    tmp_path: Path, content: bytes, said: str, found: str
) -> None:
    cache = ImageCache(tmp_path / "cache", serving(content))
    with pytest.raises(DriverFault, match=f"said to be {said} and is {found}") as fault:
        cache.ensure(image_of(content, said))
    assert not fault.value.retry
    assert list((tmp_path / "cache").iterdir()) == []
