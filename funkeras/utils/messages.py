"""Messages to whoever runs a script: on the standard output, or to a logger."""

import logging

from funkeras import config

__all__ = ["LOGGER", "say"]

LOGGER = logging.getLogger("funkeras")


def say(message: str) -> None:
    """Print a message; log it where `disable_interactive_logging` was called."""
    if config.is_interactive_logging_enabled():
        print(message, flush=True)
    else:
        LOGGER.info(message.strip("\n"))
