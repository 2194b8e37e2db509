"""Fetches and unpacks the packages that go into the guest: a kernel (with modules) and a static busybox.

They are downloaded and unpacked, never installed: the host gets no second kernel, and busybox-static would drive out
busybox. What was downloaded once is used again, so a second build needs no network.
"""

import re
from pathlib import Path

from pilvi.ops.tiny_image.shell import TinyImageFault, run

# In order of preference. The cloud kernel is Debian's; the others are what Ubuntu has.
KERNEL_METAPACKAGES = ("linux-image-cloud-amd64", "linux-image-virtual", "linux-image-generic", "linux-image-amd64")
_KERNEL = re.compile(r"(?:Depends: )?(linux-(?:image|modules)(?:-unsigned)?-\d[\w.+-]*)$")


def unpack_kernel(work_dir: Path) -> Path:
    """A directory that holds boot/vmlinuz-* and lib/modules/*."""
    debs = sorted((work_dir / "debs").glob("linux-*.deb"))
    if not debs:
        debs = [download(name, work_dir / "debs") for name in kernel_packages()]
    return unpack(debs, work_dir / "kernel")


def unpack_busybox(work_dir: Path) -> Path:
    debs = sorted((work_dir / "debs").glob("busybox-static_*.deb")) or [download("busybox-static", work_dir / "debs")]
    tree = unpack(debs, work_dir / "busybox")
    for name in ("bin/busybox", "usr/bin/busybox"):
        if (tree / name).is_file():
            return tree / name
    raise TinyImageFault(f"{debs[0].name} holds no busybox.")


def kernel_packages() -> list[str]:
    """The real packages behind the first metapackage that this distribution has."""
    for meta in KERNEL_METAPACKAGES:
        found = _depends(meta)
        images = [name for name in found if name.startswith("linux-image-")]
        if images:
            modules = [name for image in images for name in _depends(image) if name.startswith("linux-modules-")]
            return images[:1] + [name for name in modules if "extra" not in name][:1]
    raise TinyImageFault(
        f"apt knows none of {', '.join(KERNEL_METAPACKAGES)}. Run apt-get update; it needs the distribution's mirror."
    )


def _depends(package: str) -> list[str]:
    try:
        lines = run(["apt-cache", "depends", "--no-recommends", "--no-suggests", package]).splitlines()
    except TinyImageFault:
        return []
    matches = (_KERNEL.match(line.strip()) for line in lines[1:] if "Depends:" in line)
    return [match.group(1) for match in matches if match]


def download(package: str, debs: Path) -> Path:
    debs.mkdir(parents=True, exist_ok=True)
    before = set(debs.glob("*.deb"))
    try:
        run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", package], cwd=debs)
    except TinyImageFault as fault:
        raise TinyImageFault(f"{package} could not be downloaded. Run apt-get update. ({fault})") from fault
    fetched = sorted(set(debs.glob("*.deb")) - before) or sorted(debs.glob(f"{package}_*.deb"))
    if not fetched:
        raise TinyImageFault(f"apt-get download {package} left no file in {debs}.")
    return fetched[-1]


def unpack(debs: list[Path], tree: Path) -> Path:
    run(["rm", "-rf", "--", tree])
    tree.mkdir(parents=True)
    for deb in debs:
        run(["dpkg-deb", "-x", deb, tree])
    return tree
