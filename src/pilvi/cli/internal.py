"""The processes of a cloud and what runs beside them. The supervisor and `up` start these; people seldom do."""

import sys
from pathlib import Path


def run(command: str, words: list[str]) -> int:
    if command == "supervise":
        from pilvi.ops import supervise

        return supervise.main(words)
    if len(words) != 2 or words[0] != "--config":
        print(f"usage: pilvi {command} --config FILE", file=sys.stderr)
        return 2
    from pilvi.kernel.config import ConfigError, load

    try:
        config = load(Path(words[1]))
        if command == "renew":
            from pilvi.ops.renewal import renew

            renew(config)
            return 0
        from pilvi import main

        if command == "bootstrap":
            from pilvi.ops import site

            main.bootstrap(config, site.admin_password(config))
        else:
            {"api": main.run_api, "live": main.run_live, "agent": main.run_agent, "migrate": main.migrate}[command](
                config
            )
    except ConfigError as error:
        print(f"pilvi: {error}", file=sys.stderr)
        return 1
    return 0
