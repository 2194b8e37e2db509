from pilvi.network.drivers.linux.announce import internet_checksum


def test_the_checksum_is_that_of_the_internet() -> None:
    # The worked example of RFC 1071.
    assert internet_checksum(bytes.fromhex("0001f203f4f5f6f7")) == ~0xDDF2 & 0xFFFF
    assert internet_checksum(b"\x01") == internet_checksum(b"\x01\x00")
