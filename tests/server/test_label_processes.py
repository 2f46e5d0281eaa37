"""Label servers as processes: what they load, what they share, and the app around them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.labeling.making import new_key, small_spec
from tests.server.people import Person
from umnist_core.bench.ports import free_port
from umnist_core.labeling import StudyService, open_service
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.secret import load_secret
from umnist_core.server.admin import save_admin_secret
from umnist_core.settings import load_settings

PROJECT = Path(__file__).parents[2]
PATIENCE_S = 120
SECRET = "a secret for tests alone"
PAGE = {"accept": "text/html"}

_HEAVY = ("streamlit", "pandas", "torch", "sklearn", "pyarrow", "plotly", "scipy", "requests")


def test_label_app_loads_nothing_heavy() -> None:
    """It starts in a fraction of a second, so that a killed server is back at once."""
    code = (
        "import sys; from umnist_core.server.labeling import create_label_app; create_label_app(); "
        f"print([name for name in {_HEAVY!r} if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == "[]"


def _start(target: str, environment: dict[str, str]) -> tuple[subprocess.Popen[bytes], str]:
    """Start an application under uvicorn; return the process and its address."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", *target.split(), "--port", str(port)],
        cwd=PROJECT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return process, f"http://127.0.0.1:{port}"


def _wait_for(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            httpx.get(f"{url}/health", timeout=PATIENCE_S)
            return
        except httpx.TransportError:
            assert process.poll() is None, "The server ended by itself."
            assert time.monotonic() < deadline, "The server did not start."
            time.sleep(0.1)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a lab of its own."""
    return {"UMNIST_LABELING": str(tmp_path), "UMNIST_SHARE": "0", "UMNIST_DATABASE_URL": ""}


def _service(environment: dict[str, str]) -> StudyService:
    return open_service(load_settings(environment))


def test_two_servers_of_one_lab_know_the_same_people(environment: dict[str, str]) -> None:
    """They agree on the secret that both made at once; a session of one is good at the other."""
    target = "umnist_core.server.labeling:create_label_app --factory"
    servers = [_start(target, environment) for _ in range(2)]
    try:
        for process, url in servers:
            _wait_for(process, url)
        (_, first), (_, second) = servers
        for url in (first, second):  # opens the store, and makes the secret
            answer = httpx.post(f"{url}/join/nobody", json={}, timeout=PATIENCE_S)
            assert answer.status_code == 404
        service = _service(environment)
        study = create_study(service, small_spec(), jobs=1)
        token = service.invite(study)[0].token
        with Person(first) as person:
            person.join(token)
            state = person.begin()
            person.http.base_url = httpx.URL(second)
            assert person.state() == state
            assert all(answer.status_code == 200 for answer in person.look(state["trial"]["image"]))
            assert person.answer(state).json()["saved"]
            person.http.base_url = httpx.URL(first)
            assert person.state()["progress"]["done"] == 1
    finally:
        for process, _ in servers:
            process.terminate()
            process.wait()


def test_secret_made_by_many_at_once_is_one(tmp_path: Path) -> None:
    """Eight processes ask for it in the same moment; its file is its owner's alone."""
    code = (
        "import sys, time, pathlib; from umnist_core.labeling.secret import load_secret\n"
        "time.sleep(max(0, float(sys.argv[2]) - time.time()))\n"
        "print(load_secret(pathlib.Path(sys.argv[1])).hex())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "lab"), str(time.time() + 2)]
    running = [
        subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    found = {process.communicate()[0].strip() for process in running}
    assert found == {load_secret(tmp_path / "lab").hex()}
    assert (tmp_path / "lab" / "secret.key").stat().st_mode & 0o777 == 0o600
    assert len(list((tmp_path / "lab").iterdir())) == 1


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of a shared lab with a study in it."""
    folder = tmp_path_factory.mktemp("shared")
    save_admin_secret(folder, SECRET)
    return {"UMNIST_LABELING": str(folder), "UMNIST_SHARE": "1", "UMNIST_DATABASE_URL": ""}


@pytest.fixture(scope="module")
def shared_app(lab: dict[str, str]) -> Iterator[str]:
    """Run the whole app, Streamlit included, as it is shared; yield its address."""
    process, url = _start("app:app", lab)
    try:
        _wait_for(process, url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _opens(url: str, cookie: str = "") -> bool:
    address = url.replace("http", "ws") + "/_stcore/stream"
    headers = {"cookie": cookie} if cookie else {}
    try:
        with connect(address, additional_headers=headers, origin=None):
            return True
    except InvalidStatus as error:
        return error.response.status_code != 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/explore",
        "/noise_lab",
        "/tiles/scene.dzi?seed=0",
        "/tiles/scene.json?seed=0",
        "/tiles/scene_files/9/0_0.png",
        "/_stcore/host-config",
        "/_stcore/script-health-check",
        "/static/js/index.js",
        "/media/x",
    ],
)
def test_shared_app_keeps_annotators_from_research(
    lab: dict[str, str], shared_app: str, path: str
) -> None:
    """Pages, tiles, truth and Streamlit's own routes, even with an annotator's cookies."""
    service = _service(lab)
    study = (
        service.studies()[0] if service.studies() else create_study(service, small_spec(), jobs=1)
    )
    with Person(shared_app) as person:
        assert person.join(service.open_link(study).token).status_code == 200
        assert person.http.get(path).status_code == 403
        assert person.http.get(path, headers=PAGE).headers["location"].startswith("/login?next=")
        assert person.send("consent", {"key": new_key()}).status_code == 200
        assert person.http.get("/health").json()["status"] == "ok"
    assert not _opens(shared_app)


def test_researcher_logs_in_to_the_shared_app(shared_app: str) -> None:
    """Then Streamlit's page, its websocket, tiles and all of health are there."""
    with httpx.Client(base_url=shared_app, timeout=60) as client:
        form = client.get("/", headers=PAGE, follow_redirects=True)
        assert "Admin secret" in form.text
        answer = client.post("/login", data={"secret": SECRET}, headers={"origin": shared_app})
        assert answer.status_code == 303
        assert "<title>Streamlit</title>" in client.get("/").text
        assert client.get("/tiles/scene_files/9/0_0.png?seed=1").status_code == 200
        assert "digits" in client.get("/health").json()
        assert _opens(shared_app, f"umnist_admin={client.cookies['umnist_admin']}")
