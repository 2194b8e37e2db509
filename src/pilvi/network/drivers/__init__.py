"""Network drivers by name, so that nothing is imported that is not used."""

DRIVERS = {
    "linux": "pilvi.network.drivers.linux.driver:LinuxDriver",
    "fake": "pilvi.network.drivers.fake:FakeDriver",
}
