"""haproxy's file as text. What it does is in tests/integration/test_front.py."""

from pathlib import Path

from pilvi.kernel.config import Secret, parse
from pilvi.ops import front

GOLDEN = Path(__file__).with_name("front.golden.cfg")


def render(**settings: object) -> str:
    config = parse({"cloud": {"state_dir": "/var/lib/pilvi"}, "front": settings})
    return front.render(config, Secret("the-secret"), front.Identity("haproxy", "haproxy"))


def test_the_file_is_as_agreed() -> None:
    """After a wanted change: PILVI_GOLDEN=write ./pilvi test unit, and read the difference."""
    import os

    if os.environ.get("PILVI_GOLDEN") == "write":
        GOLDEN.write_text(render())
    assert render() == GOLDEN.read_text()


def test_tls_is_on_the_public_port_when_wanted_with_the_own_or_a_given_certificate() -> None:
    assert "bind 0.0.0.0:443 ssl crt /var/lib/pilvi/ca/front.pem" in render(listen="0.0.0.0:443", tls=True)
    given = render(listen="0.0.0.0:443", tls=True, certificate_path="/c.pem", key_path="/k.pem")
    assert "bind 0.0.0.0:443 ssl crt /var/lib/pilvi/run/front-own.pem" in given


def test_every_frontend_forgets_what_clients_say_of_hosts_before_it_says_so_itself() -> None:
    for part in render().split("\n\n"):
        if part.startswith("frontend"):
            forget, said = part.index("del-header ^[Xx][-_]+[Pp]"), part.index("set-header X-Pilvi-Front")
            assert forget < said
            assert said < part.index("backend")


def test_root_keeps_the_workers_only_where_nobody_else_may_pass() -> None:
    config = parse({})
    assert "user " not in front.render(config, Secret("s"), None)
