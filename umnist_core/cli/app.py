"""``umnist app``: the workbench in a browser."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from umnist_core.errors import InvalidValueError, MissingFileError
from umnist_core.public_address import PublicAddress, parse_public_address
from umnist_core.settings import is_clone, load_settings

_PACKAGE = Path(__file__).resolve().parents[1]
APP_FILE = (_PACKAGE.parent if is_clone() else _PACKAGE / "installed_app") / "app.py"
"""The app lies beside the package in a clone, and in it where a wheel is installed."""

_SECRET_VARIABLE = "UMNIST_ADMIN_SECRET"


ANYWHERE = "0.0.0.0"
LOOPBACK = "127.0.0.1"


@click.command("app")
@click.option("--port", type=click.IntRange(1, 65535), default=8501, show_default=True)
@click.option(
    "--host", help=f"Address to listen on.  [default: {LOOPBACK}; with --share {ANYWHERE}]"
)
@click.option(
    "--share",
    is_flag=True,
    help="Let others reach the app: annotators by their links, researchers by the admin secret.",
)
@click.option(
    "--public-host",
    "public_hosts",
    multiple=True,
    metavar="NAME",
    help="With --share: a name that the app is opened by; all others are then refused.",
)
@click.option(
    "--base-url",
    metavar="URL",
    help="Address that people open the app by, behind a proxy: https://lab.org/umnist/.",
)
@click.option(
    "--trust-proxy",
    "trusted",
    multiple=True,
    metavar="ADDRESS",
    help="IP address or network of a proxy whose X-Forwarded- headers are believed.",
)
@click.option(
    "--check",
    "checked",
    metavar="URL",
    help="Start nothing; say what a proxy before the app that runs at URL does wrong.",
)
@click.option("--new-secret", is_flag=True, help="With --share: replace the admin secret.")
def app_command(
    *,
    port: int,
    host: str | None,
    share: bool,
    public_hosts: tuple[str, ...],
    base_url: str | None,
    trusted: tuple[str, ...],
    checked: str | None,
    new_secret: bool,
) -> int:
    """Run the workbench and print its address; Ctrl-C stops it.

    With --share, researchers log in with an admin secret. It is made and printed at the
    first start, or taken from UMNIST_ADMIN_SECRET; only its hash is kept. Between
    machines, put a proxy with HTTPS before the app; docs/deploy.md has configurations.

    \b
    Examples:
      umnist app
      umnist app --port 8600
      umnist app --share --public-host labeling.example.org
      umnist app --share --base-url https://lab.org/umnist/ --trust-proxy 127.0.0.1
      umnist app --share --check https://lab.org/umnist/
    """
    if checked is not None:
        return _check(checked)
    if not APP_FILE.is_file():
        raise MissingFileError(
            f"Expected the app at {APP_FILE}, found nothing there; install umnist again, or run "
            "scripts/app in a clone of the repository."
        )
    if not share and (public_hosts or new_secret):
        raise click.UsageError("--public-host and --new-secret go with --share; add it.")
    if host is None:
        host = ANYWHERE if share else LOOPBACK
    if not share:
        _check_loopback(host)
    _check_resolves(host, port)
    for name in public_hosts:
        _check_host_name(name)
    exposure = Exposure(share, public_hosts, base_url, trusted)
    environment = exposure.environment(os.environ)
    address = load_settings(environment).public_address
    _check_port_is_free(host, port)
    if share:
        _prepare_admin_secret(new_secret)
    if address is not None:
        click.echo(f"Through the proxy, the app is at {address.to('/')}.")
    return _run_until_stopped(_streamlit_command(host, port, exposure, address), environment)


@dataclass(frozen=True)
class Exposure:
    """How the app is reached from elsewhere: the options that go to the server as its settings."""

    share: bool
    public_hosts: tuple[str, ...] = ()
    base_url: str | None = None
    trusted: tuple[str, ...] = ()

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the server's environment: what was given, and never the admin secret."""
        ours = ("UMNIST_SHARE", "UMNIST_PUBLIC_HOSTS", _SECRET_VARIABLE)
        environment = {name: value for name, value in given.items() if name not in ours}
        # Nobody but `Front` reads what proxies say; the server would believe this machine.
        environment["FORWARDED_ALLOW_IPS"] = ""
        if self.base_url is not None:
            environment["UMNIST_BASE_URL"] = self.base_url
        if self.trusted:
            environment["UMNIST_TRUSTED_PROXIES"] = ",".join(self.trusted)
        if self.share:
            names = ",".join(self.public_hosts)
            environment |= {"UMNIST_SHARE": "1", "UMNIST_PUBLIC_HOSTS": names}
        return environment


def _check(url: str) -> int:
    """Print what a proxy does wrong; return 0 if it does all as it should."""
    from umnist_core.server.proxy_check import check_proxy

    address = parse_public_address(url)
    found = check_proxy(address)
    for sentence in found:
        click.echo(f"- {sentence}")
    if not found:
        click.echo(f"All is well at {address.to('/')}: pages, files, websockets and addresses.")
    return 1 if found else 0


def _check_loopback(host: str) -> None:
    """Let only this machine's own addresses through; click turns the error into exit code 2."""
    if host == "localhost":
        return
    try:
        if ipaddress.ip_address(host).is_loopback:
            return
    except ValueError:
        pass
    raise click.BadParameter(
        f"expected an address that only this machine can reach (127.0.0.1, ::1 or localhost), "
        f"found {host!r}; add --share to let others in, or reach the app from elsewhere through "
        f"`ssh -L 8501:127.0.0.1:8501`.",
        param_hint="'--host'",
    )


def _check_resolves(host: str, port: int) -> None:
    """Refuse what is no address; an empty one would mean every address of this machine."""
    reason = "nothing"
    if host.strip():
        try:
            socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            return
        # A name that cannot be written as one (too long, not text) is a UnicodeError.
        except (OSError, UnicodeError):
            reason = f"{host[:100]!r}, which this machine cannot resolve"
    raise click.BadParameter(
        f"expected an address of this machine, such as {LOOPBACK}, or a name of it, "
        f"found {reason}.",
        param_hint="'--host'",
    )


def _check_host_name(name: str) -> None:
    if not re.fullmatch(r"[0-9A-Za-z.:-]+", name) or (":" in name and not _is_ip(name)):
        raise click.BadParameter(
            f"expected a host name without scheme and port, such as labeling.example.org, found "
            f"{name!r}.",
            param_hint="'--public-host'",
        )


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _prepare_admin_secret(new_secret: bool) -> None:
    """See to it that there is an admin secret; print one that is made here, once.

    Raises
    ------
    InvalidValueError, WriteError, DamagedFileError
        If the secret given is too short, or its hash cannot be kept or read.
    """
    from umnist_core.server.admin import Admins, make_admin_secret, save_admin_secret

    folder = load_settings().labeling_dir
    # Read here and not in the settings, which are passed around and printed.
    given = os.environ.get(_SECRET_VARIABLE)
    if given:
        # Kept anew only if it is another one: that ends the sessions of the old one.
        if new_secret or not Admins(folder).is_secret(given):
            save_admin_secret(folder, given)
        return
    if not new_secret and Admins(folder).find_hash() is not None:
        return
    secret = make_admin_secret()
    save_admin_secret(folder, secret)
    click.echo(
        f"Admin secret: {secret}\n"
        "Keep it: it is shown once. `umnist app --share --new-secret` makes another."
    )


def _streamlit_command(
    host: str, port: int, exposure: Exposure, address: PublicAddress | None
) -> list[str]:
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
    if address is not None:
        options["server.baseUrlPath"] = address.path.strip("/")
        options["browser.serverPort"] = str(address.browser_port)
    hosts = [*([address.hostname] if address else []), *exposure.public_hosts]
    if exposure.share:
        # Otherwise Streamlit asks a server on the internet for this machine's address.
        options["browser.serverAddress"] = hosts[0] if hosts else socket.gethostname()
    command += [f"--{name}={value}" for name, value in options.items()]
    if exposure.share:
        # The gate before Streamlit checks names more strictly than this list can say it.
        names = [*hosts, LOOPBACK, "localhost", "::1"] if exposure.public_hosts else ["*"]
        command += [f"--server.allowedHosts={name}" for name in names]
    return command


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


def _run_until_stopped(command: list[str], environment: dict[str, str]) -> int:
    """Run the server; return 0 when it was told to stop, else the server's own exit code.

    The server gets a session of its own, so that Ctrl-C reaches this process alone
    and the server ends by SIGTERM, on which it closes its connections without a
    word; on Ctrl-C it would report an error.
    """
    stopped = False
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
    ) as server:

        def stop(*_: object) -> None:
            nonlocal stopped
            stopped = True
            server.terminate()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, stop)
        code = server.wait()
    return 0 if stopped else code
