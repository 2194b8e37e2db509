"""`pilvi rotate`: new secrets and, if wanted, a new password of the administrator."""

import secrets

from cyclopts import App

from pilvi.kernel.config import Config
from pilvi.kernel.db import Database
from pilvi.ops import site
from pilvi.ops.progress import StepFailed


def add_to(app: App) -> None:
    app.command(rotate)


def rotate(*, admin_password: bool = False) -> int:
    """Make every secret of the cloud anew. Tokens that are out stay valid, nothing restarts, guests notice nothing.

    Parameters
    ----------
    admin_password: also give the administrator a new password; clouds.yaml follows, their older tokens end.
    """
    from pilvi import main
    from pilvi.ops import rotation

    site.require_root()
    config = site.load_config(None)
    database = main.open_database(config)
    try:
        for done in rotation.rotate(config, database):
            print(done, flush=True)
        if admin_password:
            _new_admin_password(config, database)
            print(f"The administrator has a new password: {config.paths.admin_password}")
    finally:
        database.close()
    return 0


def _new_admin_password(config: Config, database: Database) -> None:
    """The file is written before the database: after a crash between the two, the next run makes both agree."""
    from pilvi.identity import facade as identity
    from pilvi.ops import clouds_yaml
    from pilvi.ops.files import write_file

    user_id = database.read(lambda tx: identity.find_user(tx, "Default", site.ADMIN))
    if user_id is None:
        raise StepFailed("There is no user admin in the domain Default. Run ./pilvi up.")
    password = secrets.token_urlsafe(24)
    hashed = identity.hash_password(password)
    write_file(config.paths.admin_password, password + "\n")
    database.write(lambda tx: identity.set_password(tx, user_id, hashed))
    clouds_yaml.write(config)
