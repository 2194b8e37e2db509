"""Finds out what this kernel can do by trying it in a scratch namespace; a version number proves nothing."""

from pathlib import Path

from pilvi.network.drivers import names
from pilvi.network.drivers.linux import namespaces, nft, taps
from pilvi.network.drivers.linux.links import Links
from pilvi.network.drivers.linux.port_security import BR_NETFILTER, BRIDGE_CONNTRACK, compile_filter
from pilvi.network.drivers.linux.ruleset import replacement
from pilvi.network.drivers.linux.spaces import Spaces
from pilvi.network.drivers.protocol import DriverFault, FixedIp, HostState, Network, Port
from pilvi.network.drivers.vet import vet

_SAMPLE = HostState(
    networks=(Network("probe", zone=1),),
    ports=(Port("probe", "probe", "02:00:00:00:00:01", (FixedIp("", "10.0.0.1"), FixedIp("", "fd00::1"))),),
)


def choose_shim(spaces: Spaces) -> tuple[str, tuple[tuple[str, str], ...]]:
    """How conntrack is to see bridged packets, and what was found. DriverFault with the remedy if there is no way."""
    scratch = spaces.prefix + "probe"
    spaces.record([scratch])
    try:
        spaces.make(scratch)
        namespaces.inside(scratch, _try_links)
        return _try_filters(scratch)
    except (OSError, namespaces.NoNamespace) as error:
        raise DriverFault(
            f"This kernel cannot make the links a network needs: {error}. It needs bridge, veth and tun.", retry=False
        ) from error
    finally:
        spaces.remove(scratch)


def _try_links() -> None:
    links = Links()
    try:
        links.add_bridge("br0", "0e:00:00:00:00:01", 1500)
        taps.make(names.tap_name("probe"), 0)
    finally:
        links.close()


def _try_filters(scratch: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    # The bridge's own conntrack is preferred: br_netfilter, once loaded, also reaches into other people's bridges.
    refusals: list[tuple[str, str]] = []
    for shim in (BRIDGE_CONNTRACK, BR_NETFILTER):
        if shim == BR_NETFILTER and not namespaces.inside(scratch, Path("/proc/sys/net/bridge").is_dir):
            refusals.append((shim, "the module br_netfilter is not loaded"))
            continue
        try:
            nft.run(scratch, replacement(compile_filter(vet(_SAMPLE).state, shim)[0]))
        except nft.NftError as error:
            refusals.append((shim, str(error).splitlines()[0]))
        else:
            return shim, (("conntrack of bridged packets", shim), *refusals)
    reasons = "; ".join(f"{shim}: {reason}" for shim, reason in refusals)
    raise DriverFault(
        f"Security groups cannot be enforced on this kernel ({reasons}). Remedy: modprobe nf_conntrack_bridge,"
        " or modprobe br_netfilter, and install nftables.",
        retry=False,
    )
