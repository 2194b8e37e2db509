"""New secrets for a cloud that runs. After each step old and new are both understood, so it may die anywhere and be run
again; nothing restarts, no token ends, no guest notices.

Left alone: the CA's own key and the one that signs assertions, which others were given to trust; and what is not ours,
such as the operator's own certificates, database passwords and issuers' secrets.
"""

from collections.abc import Iterator
from typing import Final

from pilvi.identity import facade as identity
from pilvi.kernel import clock
from pilvi.kernel.config import Config
from pilvi.kernel.db import Database
from pilvi.kernel.secret_files import Line, SecretFile
from pilvi.ops import renewal, state
from pilvi.ops.files import write_file
from pilvi.ops.progress import StepFailed

FORMER_S: Final = 120.0
"""How long the front's former secret counts: twice as long as haproxy's former workers may live."""


def rotate(config: Config, database: Database) -> Iterator[str]:
    """Does the next step and says what was done."""
    if not config.paths.sealing_key.exists():
        raise StepFailed(f"There is no {config.paths.sealing_key}. Run ./pilvi up, then this again.")
    yield f"keys: new ones are in force, sealed with a new one; {_keys(config, database)} secrets were encrypted anew"
    _front_secret(config)
    yield "front: a new secret between it and the processes behind it"
    state.make_certificates_anew(config)
    yield f"certificates: new keys for the front and for host {config.host}"
    renewal.take_up(config)
    yield "front: has taken both up; connections that were open go on"
    write_file(config.paths.metrics_token, state.new_secret() + "\n")
    yield f"monitoring: a new token in {config.paths.metrics_token}; scrapers on other machines need it now"


def _keys(config: Config, database: Database) -> int:
    """How many secrets were encrypted anew."""
    path = config.paths.sealing_key
    known = [line.secret.reveal() for line in SecretFile(path).lines(now=True)]
    if len(known) > 1:  # A rotation died between its writes.
        identity.seal_keys_anew(database)
    write_file(path, f"{state.new_sealing_key()}\n{known[0]}\n")
    count = identity.rotate_keys(database)
    newest = SecretFile(path).current().reveal()
    write_file(path, f"{newest}\n")
    return count


def _front_secret(config: Config) -> None:
    path = config.paths.front_secret
    former = Line(SecretFile(path).current(), until=clock.now() + FORMER_S)
    write_file(path, f"{state.new_secret()}\n{former.text}\n")
