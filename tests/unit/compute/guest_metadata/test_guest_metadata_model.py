"""What guests read about themselves: whole documents, for each kind of network."""

import base64
import json
from dataclasses import replace
from typing import Any

from pilvi.compute.guest_metadata.model import OPENSTACK_VERSIONS, Guest, ec2, files, network_data
from pilvi.network.facade import FixedIp, Nic

FOUR = FixedIp("10.0.0.5", 4, "s4", "10.0.0.0/24", "10.0.0.1", ("9.9.9.9",), (("10.9.0.0/16", "10.0.0.7"),), True)
SIX = FixedIp("fd00::5", 6, "s6", "fd00::/64", "fd00::1", (), (), True)
NIC = Nic(
    port_id="0123456789abcdef", network_id="n", network_name="net", mac="fa:16:3e:00:00:01", mtu=1450,
    fixed_ips=(FOUR,), floating_ips=("203.0.113.9",), security_groups=("web", "default"),
    security_group_ids=("g", "h"), status="ACTIVE",
    tag=None, created_by_compute=True,
)  # fmt: skip
GUEST = Guest(
    id="11111111-2222-3333-4444-555555555555", name="Web 1", hostname="web-1", project_id="p", availability_zone="nova",
    launch_index=0, reservation_id="r-1", image_id="abcdefgh-1", flavor_name="m1.nano", key_name="mine",
    public_key="ssh-ed25519 AAAA me", admin_password="secret", user_data=b"\x00#!", metadata={"a": "b"}, nics=[NIC],
)  # fmt: skip
LINK = {"id": "tap0123456789a", "vif_id": "0123456789abcdef", "type": "bridge", "mtu": 1450,
        "ethernet_mac_address": "fa:16:3e:00:00:01"}  # fmt: skip


def read(guest: Guest, path: str) -> Any:
    return json.loads(base64.b64decode(files(guest)[path]))


def test_meta_data_says_who_the_guest_is() -> None:
    assert read(GUEST, "openstack/latest/meta_data.json") == {
        "uuid": GUEST.id, "name": "Web 1", "hostname": "web-1", "project_id": "p", "availability_zone": "nova",
        "launch_index": 0, "meta": {"a": "b"}, "devices": [], "dedicated_cpus": [], "admin_pass": "secret",
        "public_keys": {"mine": "ssh-ed25519 AAAA me"},
        "keys": [{"name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA me"}],
    }  # fmt: skip


def test_without_a_key_there_are_no_keys() -> None:
    document = read(replace(GUEST, key_name=None, public_key=None), "openstack/latest/meta_data.json")
    assert "public_keys" not in document
    assert "keys" not in document


def test_user_data_comes_byte_for_byte_and_only_when_given() -> None:
    assert base64.b64decode(files(GUEST)["openstack/latest/user_data"]) == b"\x00#!"
    assert not [path for path in files(replace(GUEST, user_data=None)) if path.endswith(("user_data", "user-data"))]


def test_each_version_has_what_it_had_in_its_day() -> None:
    found = files(GUEST)
    for version in OPENSTACK_VERSIONS:
        assert f"openstack/{version}/meta_data.json" in found
        assert (f"openstack/{version}/vendor_data.json" in found) == (version >= "2013-10-17")
        assert (f"openstack/{version}/network_data.json" in found) == (version >= "2015-10-15")
        assert (f"openstack/{version}/vendor_data2.json" in found) == (version >= "2016-10-06")


def test_a_dhcp_network_is_told_to_ask() -> None:
    assert network_data(GUEST) == {
        "links": [LINK],
        "networks": [{"id": "network0", "link": LINK["id"], "network_id": "n", "type": "ipv4_dhcp",
                      "services": [{"type": "dns", "address": "9.9.9.9"}]}],
        "services": [{"type": "dns", "address": "9.9.9.9"}],
    }  # fmt: skip


def test_a_static_network_has_address_mask_and_routes() -> None:
    static = replace(GUEST, nics=[replace(NIC, fixed_ips=(replace(FOUR, dhcp=False),))])
    (network,) = network_data(static)["networks"]
    assert (network["type"], network["ip_address"], network["netmask"]) == ("ipv4", "10.0.0.5", "255.255.255.0")
    assert network["routes"] == [
        {"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.0.0.1"},
        {"network": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "10.0.0.7"},
    ]


def test_an_isolated_static_network_has_no_default_route() -> None:
    static = replace(GUEST, nics=[replace(NIC, fixed_ips=(replace(FOUR, dhcp=False, gateway_ip=None, routes=()),))])
    assert network_data(static)["networks"][0]["routes"] == []


def test_two_addresses_of_a_card_are_two_networks_of_one_link() -> None:
    both = network_data(replace(GUEST, nics=[replace(NIC, fixed_ips=(FOUR, SIX))]))
    assert len(both["links"]) == 1
    assert [(n["id"], n["type"]) for n in both["networks"]] == [("network0", "ipv4_dhcp"), ("network0_1", "ipv6")]
    six = both["networks"][1]
    assert (six["ip_address"], six["netmask"]) == ("fd00::5", "ffff:ffff:ffff:ffff::")
    assert six["routes"] == [{"network": "::", "netmask": "::", "gateway": "fd00::1"}]


def test_cards_with_tags_are_devices() -> None:
    tagged = replace(GUEST, nics=[replace(NIC, tag="front")])
    (device,) = read(tagged, "openstack/latest/meta_data.json")["devices"]
    assert device == {"type": "nic", "bus": "pci", "mac": NIC.mac, "tags": ["front"]}


def test_the_ec2_tree() -> None:
    assert ec2(GUEST) == {
        "ami-id": "ami-abcdefgh", "ami-launch-index": 0, "ami-manifest-path": "",
        "block-device-mapping": {"ami": "vda", "root": "/dev/vda"}, "hostname": "web-1", "instance-action": "none",
        "instance-id": "i-11111111", "instance-type": "m1.nano", "local-hostname": "web-1", "local-ipv4": "10.0.0.5",
        "placement": {"availability-zone": "nova"}, "public-hostname": "web-1", "public-ipv4": "203.0.113.9",
        "reservation-id": "r-1", "security-groups": ["default", "web"],
        "public-keys": {"0": {"_name": "mine", "openssh-key": "ssh-ed25519 AAAA me"}},
    }  # fmt: skip


def test_a_guest_without_a_network_can_read_all_the_same() -> None:
    alone = replace(GUEST, nics=[])
    assert network_data(alone) == {"links": [], "networks": [], "services": []}
    assert ec2(alone)["local-ipv4"] == ""
