"""``umnist app``: the workbench in a browser."""

from __future__ import annotations

import errno
import ipaddress
import signal
import socket
import subprocess
import sys
from pathlib import Path

import click

from umnist_core.errors import InvalidValueError, MissingFileError

APP_FILE = Path(__file__).resolve().parents[2] / "app.py"
"""The app lies beside the package in a clone; a wheel holds the package alone."""


def _loopback_host(_context: click.Context, _parameter: click.Parameter, host: str) -> str:
    """Let only this machine's own addresses through; click turns the error into exit code 2."""
    if host == "localhost":
        return host
    try:
        if ipaddress.ip_address(host).is_loopback:
            return host
    except ValueError:
        pass
    raise click.BadParameter(
        f"expected an address that only this machine can reach (127.0.0.1, ::1 or localhost), "
        f"found {host!r}; the app has no log-in yet, so reach it from elsewhere through "
        f"`ssh -L 8501:127.0.0.1:8501`."
    )


@click.command("app")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True, callback=_loopback_host)
def app_command(port: int, host: str) -> int:
    """Run the workbench and print its address; Ctrl-C stops it.

    \b
    Examples:
      umnist app
      umnist app --port 8600
    """
    if not APP_FILE.is_file():
        raise MissingFileError(
            f"Expected the app at {APP_FILE}, found nothing there; the pages are not part of the "
            "installed package, so run scripts/app in a clone of the repository."
        )
    _check_port_is_free(host, port)
    return _run_until_stopped(_streamlit_command(host, port))


def _streamlit_command(host: str, port: int) -> list[str]:
    # The rest of the settings are in .streamlit/config.toml beside the app. These
    # stand here because an environment variable would go before that file, not
    # before an option.
    options = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.enableCORS": "true",
        "server.enableXsrfProtection": "true",
        "browser.gatherUsageStats": "false",
    }
    command = [sys.executable, "-m", "streamlit", "run", str(APP_FILE)]
    return command + [f"--{name}={value}" for name, value in options.items()]


def _check_port_is_free(host: str, port: int) -> None:
    """Refuse a port that another program listens on.

    Raises
    ------
    InvalidValueError
        If nothing can listen on the port.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        # As the server does: a connection that was just closed does not hold the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as error:
            reason = "in use" if error.errno == errno.EADDRINUSE else str(error.strerror).lower()
            raise InvalidValueError(
                f"Expected a free port, found port {port} of {host} {reason}; stop the program "
                "that uses it or choose another with --port."
            ) from error


def _run_until_stopped(command: list[str]) -> int:
    """Run the server; return 0 when it was told to stop, else the server's own exit code.

    The server gets a session of its own, so that Ctrl-C reaches this process alone
    and the server ends by SIGTERM, on which it closes its connections without a
    word; on Ctrl-C it would report an error.
    """
    stopped = False
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as server:

        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True
            server.terminate()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        code = server.wait()
    return 0 if stopped else code
