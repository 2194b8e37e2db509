"""What `status` tells people."""

from pilvi.ops import show


def test_ages_are_said_in_the_unit_that_matters() -> None:
    assert [show.age(seconds) for seconds in (0.2, 59, 61, 7200, 200000)] == ["0 s", "59 s", "1 min", "2 h", "2 d"]


def test_the_report_lists_processes_and_servers() -> None:
    document = {
        "version": "1",
        "programs": {"kernel": "6.1"},
        "tag": "00000000",
        "state_dir": "/s",
        "host": "h",
        "database": "sqlite",
        "public_url": "http://x",
        "agents_listen": "y",
        "control_plane_pss_mib": 10.0,
        "processes": [{"name": "api", "pid": None, "up_s": 0, "pss_mib": 0.0, "restarts": 2, "last_exit": "signal 9"}],
        "servers": [{"id": "i", "name": "web", "status": "ACTIVE", "addresses": ["10.0.0.2"]}],
    }
    text = "\n".join(show.lines(document))
    assert "down" in text
    assert "signal 9" in text
    assert "10.0.0.2" in text
