"""The walks of docs/architecture.md are what happens: real ones pass their stations in order."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from urllib.parse import urlencode

import httpx
from click.testing import CliRunner
from starlette.applications import Starlette

from pages._ui.shared.results import load_results
from tests.labeling.making import small_spec
from tests.server.people import Person
from tests.server.serving import serve
from umnist_core.cli import root
from umnist_core.digits import load_glyphs
from umnist_core.inference.jobs import ENDED
from umnist_core.inference.pool import InferencePool
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.labeling import StudyService
from umnist_core.labeling.freeze import create_study
from umnist_core.labeling.sql import open_log
from umnist_core.scenes import SceneRef
from umnist_core.server.inference import inference_routes
from umnist_core.server.labeling import create_label_app
from umnist_core.server.routes import create_tile_app
from umnist_core.server.tiles import TileService
from umnist_core.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "architecture.md"
CONFIGURATION = """
[model]
name = "efficientnet-b0"
settings = { side_px = 32 }
[data]
count = 12
workers = 0
overrides = { canvas = "64", factor = "0.5", digits = "3" }
[run]
epochs = 1
batch_size = 4
device = "cpu"
"""
STATION = re.compile(r"^\d+\. `([^`]+)` `([^`]+)`", re.MULTILINE)


@dataclass(frozen=True)
class Station:
    """A place of a walk: a file, and a name in it."""

    file: str
    name: str


@dataclass
class Passed:
    """Functions of the project in the order in which they were first called."""

    order: dict[Station, None] = field(default_factory=dict)

    def note(self, frame: FrameType, event: str, _: object) -> None:
        """Take notice of a call, as `sys.setprofile` tells of it."""
        if event == "call" and frame.f_code.co_filename.startswith(str(ROOT)):
            file = str(Path(frame.f_code.co_filename).relative_to(ROOT))
            self.order.setdefault(Station(file, frame.f_code.co_qualname))


@contextmanager
def passing() -> Iterator[Passed]:
    """Notice every function that this thread and those begun meanwhile call."""
    passed = Passed()
    threading.setprofile(passed.note)
    sys.setprofile(passed.note)
    yield passed
    sys.setprofile(None)
    threading.setprofile(None)


def walks() -> dict[str, list[Station]]:
    """Return the stations of the document's walks by their titles."""
    parts = re.split(r"^## ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:]
    stations = {
        part.partition("\n")[0]: [Station(*pair) for pair in STATION.findall(part)]
        for part in parts
    }
    return {title: found for title, found in stations.items() if found}


def expect_in_order(title: str, *passed: Passed) -> None:
    """Hold a walk's stations in Python against what was passed for the first time in each part."""
    stations = [one for one in walks()[title] if one.file.endswith(".py")]
    left = list(stations)
    for part in passed:
        order = [one for one in part.order if one in left]
        assert order == [one for one in left if one in order]
        left = [one for one in left if one not in order]
    assert left == []


def test_stations_of_all_walks_are_where_the_document_says() -> None:
    """Each file has the name, in Python, JavaScript and TOML alike."""
    found = walks()
    assert len(found) == 4
    for station in (one for stations in found.values() for one in stations):
        text = (ROOT / station.file).read_text()
        assert re.search(rf"\b{re.escape(station.name.rpartition('.')[2])}\b", text), station


def test_slider_value_walks_to_a_tile() -> None:
    """From the address that the Noise lab writes to the bytes of a tile."""
    load_glyphs()
    address = "preset=released&seed=4711&split=train&index=0&canvas=512&tile=256"
    with passing() as passed, serve(create_tile_app(TileService())) as url:
        reply = httpx.get(f"{url}/tiles/scene_files/9/0_0.png?{address}", timeout=60)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/png")
    expect_in_order("A slider's value to a tile", passed)


def test_answer_walks_to_the_results_page(tmp_path: Path) -> None:
    """From what a browser posts to what Results shows of it."""
    with closing(open_log(f"sqlite:///{tmp_path / 'labeling.sqlite'}")) as log:
        service = StudyService(log, tmp_path)
        study = create_study(service, small_spec(practice=0), jobs=1)
        token = service.invite(study, pool="unguided")[0].token
        with serve(create_label_app(service)) as url, Person(url) as person:
            person.join(token)
            state = person.begin()
            with passing() as saved, serve(create_label_app(service)) as other:
                person.http.base_url = other
                assert person.answer(state).status_code == 200
        with passing() as shown:
            assert len(load_results(service, service.overview(study)).answers) == 1
    expect_in_order("An answer to the results page", saved, shown)


def test_scene_walks_to_a_model_and_its_attention_back() -> None:
    """From a viewer's request to a tile of heat; the process of models is walked in this one."""
    load_glyphs()
    ref = SceneRef.of("megapixel", {"canvas": "500"}, seed=1)
    request = PredictRequest("ips-megapixel", "cpu", SceneImage(ref))
    pool = InferencePool()
    app = Starlette(routes=inference_routes(load_settings(), pool))
    image = f"/tiles/scene.dzi?{urlencode(ref.to_query())}"
    asked = {"viewer": "v", "slot": "a", "turn": 1, "checkpoint": "ips-megapixel", "device": "cpu"}
    with passing() as server, serve(app) as url, httpx.Client(base_url=url, timeout=60) as client:
        job = client.post("/inference/jobs", json=asked | {"image": image}).json()
        while job["state"] not in ENDED:
            news = {"after": job["version"], "wait_s": 20}
            job = client.get(f"/inference/jobs/{job['id']}", params=news).json()
        assert client.get(f"/inference/jobs/{job['id']}/heat/8/0_0.png").status_code == 200
    pool.close()
    with passing() as models:
        assert Predictor("cpu").predict(request).attention is not None
    expect_in_order("A scene to a model, and its attention back", server, models)


def test_configuration_walks_to_a_checkpoint(tmp_path: Path) -> None:
    """From a file to the weights and the card of what it trained."""
    path = tmp_path / "small.toml"
    path.write_text(CONFIGURATION)
    with passing() as passed:
        result = CliRunner().invoke(root, ["train", str(path), "--out", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "run" / "best.safetensors").exists()
    expect_in_order("A configuration to a checkpoint", passed)
