"""A cloud with the drivers' twins: the public suites here ask the APIs, not guests.

PILVI_ACCEPTANCE_ENGINE=postgresql   puts it on a PostgreSQL of its own

Images have two stores, show locations and may come from a web server that lives as long as the cloud does; formats are
not enforced, because some of Tempest's tests upload bytes that are nothing.
"""

import functools
import http.server
import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pilvi.ops.scratch_postgres import scratch_postgres
from tests.e2e.site import Site, cloud
from tests.unit.image import samples

FAKE = ("compute.hypervisor=fake", "network.driver=fake")
PASSWORDS = ("identity.lockout_failures=2", "identity.lockout_s=5", "identity.password_history=2")
"""As Tempest expects of a cloud with rules for passwords."""
SWITCHES = ";".join(
    (
        "image.image_caching_enabled=True",
        "image-feature-enabled.http_store_enabled=True",
        "image-feature-enabled.store_weight_enabled=True",
        "image-feature-enabled.image_format_enforcement=False",
    )
)
"""What Tempest may know of this cloud and does not find out by itself."""
SECOND_TYPE = "image_again"
"""A second endpoint of the image service: what one begins, the other may end."""


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Two images behind a server of this machine: its name and port."""
    folder.mkdir()
    (folder / "blob.bin").write_bytes(os.urandom(300_000))
    (folder / "disk.qcow2").write_bytes(samples.qcow2())
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with web_server(tmp_path_factory.mktemp("web") / "files") as address:
        yield address


@pytest.fixture(scope="session")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images of several formats, as Tempest wants them listed: good ones, for bad ones are refused when they come."""
    folder = tmp_path_factory.mktemp("formats")
    formats = ("qcow2", "vmdk", "raw")
    for name in formats:
        argv = ["qemu-img", "create", "-q", "-f", name, str(folder / f"{name}.img"), "1M"]
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, timeout=60)
    listed = [{"name": name, "format": name, "filename": f"{name}.img", "usable": True} for name in formats]
    path = folder / "manifest.yaml"
    path.write_text(json.dumps({"images": listed}))
    return path


@pytest.fixture(scope="session")
def switches(web: str, manifest: Path) -> str:
    """For `tempest.sh`."""
    images = f"image.http_image=http://{web}/blob.bin;image.http_qcow2_image=http://{web}/disk.qcow2"
    return f"{SWITCHES};{images};image.images_manifest_file={manifest};image.alternate_image_endpoint={SECOND_TYPE}"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, web: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("acceptance")
    images = (
        f"image.import_from={web}", f"image.second_store={folder / 'second'}", "image.show_locations=true",
        "image.strict_formats=false",
    )  # fmt: skip
    with ExitStack() as stack:
        settings = [*FAKE, *images, *PASSWORDS]
        if os.environ.get("PILVI_ACCEPTANCE_ENGINE") == "postgresql":
            settings.append(f"database.url={stack.enter_context(scratch_postgres())}")
        site = stack.enter_context(cloud(folder / "s", settings=settings))
        site.openstack("service", "create", "--name", "images-again", SECOND_TYPE)
        url = f"http://127.0.0.1:{site.port}/image"
        site.openstack("endpoint", "create", "--region", "RegionOne", SECOND_TYPE, "public", url)
        yield site
