"""nginx and Caddy as `docs/deploy.md` sets them up, before an app that runs here."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.browser.conftest import wait_until

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = PROJECT / "docs" / "deploy.md"

NGINX_AROUND = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
client_body_temp_path {folder}/body;
proxy_temp_path {folder}/proxy;
fastcgi_temp_path {folder}/fastcgi;
uwsgi_temp_path {folder}/uwsgi;
scgi_temp_path {folder}/scgi;
{server}
}}
"""

CADDY_AROUND = """{{
	admin off
	storage file_system {folder}/caddy
	auto_https disable_redirects
}}
{server}
"""


def documented(language: str) -> str:
    """Return the configuration that the guide shows in a language."""
    found = re.search(rf"^```{language}\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    assert found is not None, f"{GUIDE.name} shows no configuration for {language}."
    return found[1]


def make_certificate(folder: Path) -> None:
    """Make a certificate for localhost that nobody else believes."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(folder / "lab.org.key"), "-out", str(folder / "lab.org.crt")]
    subprocess.run(command, check=True, capture_output=True)


def nginx_command(
    folder: Path, port: int, app_port: int, change: tuple[str, str] = ("", "")
) -> list[str]:
    """Write nginx's configuration with the places and ports of a test, and one change if any."""
    assert change[0] in documented("nginx"), f"{GUIDE.name} has no {change[0]!r} to change."
    server = documented("nginx").replace(*change) if change[0] else documented("nginx")
    server = server.replace("/var/log/nginx/", f"{folder}/")
    server = server.replace("listen 443", f"listen 127.0.0.1:{port}").replace(
        "lab.org;", "localhost;"
    )
    config = folder / "nginx.conf"
    config.write_text(NGINX_AROUND.format(folder=folder, server=_placed(server, folder, app_port)))
    return ["nginx", "-c", str(config), "-p", str(folder)]


def caddy_command(folder: Path, port: int, app_port: int) -> list[str]:
    """Write Caddy's configuration with the places and ports of a test."""
    server = documented("caddy").replace("lab.org {", f"https://localhost:{port} {{", 1)
    config = folder / "Caddyfile"
    config.write_text(CADDY_AROUND.format(folder=folder, server=_placed(server, folder, app_port)))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(config)]


def _placed(server: str, folder: Path, app_port: int) -> str:
    server = server.replace("/etc/ssl/", f"{folder}/")
    return server.replace("127.0.0.1:8501", f"127.0.0.1:{app_port}")


PROXIES: dict[str, Callable[[Path, int, int], list[str]]] = {
    "nginx": nginx_command,
    "caddy": caddy_command,
}


@contextmanager
def running_proxy(command: list[str], folder: Path, port: int) -> Iterator[None]:
    """Run a proxy on a port of loopback until the end of the block."""
    make_certificate(folder)
    with (folder / "proxy.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

    def is_up() -> bool:
        assert process.poll() is None, (folder / "proxy.log").read_text()
        try:
            httpx.get(f"https://localhost:{port}/", verify=False, timeout=60)
            return True
        except httpx.TransportError:
            return False

    try:
        wait_until(is_up, f"{command[0]} did not start.")
        yield
    finally:
        process.terminate()
        process.wait()
