"""Listens on an address, or says what is in the way."""

import errno
import socket

from core.errors import ConfigurationError

BACKLOG = 8_192
"""Connections that may wait until the event loop takes them."""


def listening(host: str, port: int, setting: str) -> socket.socket:
    """Listen on an address.

    Args:
        host: The address.
        port: The port.
        setting: What to set for another port.

    Raises:
        ConfigurationError: It cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"Port {port} is in use: stop what uses it, or set {setting} to another."
            ) from None
        raise ConfigurationError(
            f"Cannot listen on {host} port {port}: {error.strerror}. "
            f"Set GALLERIA_HOST to an address of this machine and {setting} to a port above 1023."
        ) from None
