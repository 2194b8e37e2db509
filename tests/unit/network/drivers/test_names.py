import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilvi.network.drivers import names


@given(st.text())
def test_link_names_fit_and_are_known_as_ours(identifier: str) -> None:
    for name in (names.tap_name(identifier), names.bridge_name(identifier)):
        assert len(name) <= 15
        assert names.is_own_link(name)


@pytest.mark.parametrize("name", ["lo", "eth0", "ens3", "br0", "tap0", "brabc", "uplink0", "tp0123456789g"])
def test_other_people_s_links_are_not_ours(name: str) -> None:
    assert not names.is_own_link(name)


def test_namespaces_bear_the_tag_and_the_first_digits_of_the_id() -> None:
    id = "89ABCDEF-1234-4000-8000-000000000000"
    assert names.service_namespace("0123abcd", id) == "pv0123abcd-n-89abcdef"
    assert names.router_namespace("0123abcd", id) == "pv0123abcd-r-89abcdef"
    assert names.data_plane("0123abcd") == "pv0123abcd-dp"
    for bad in ("", "xyz", "0123ABCD", "../../etc"):
        with pytest.raises(ValueError):
            names.data_plane(bad)
