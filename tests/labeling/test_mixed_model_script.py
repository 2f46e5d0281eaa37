"""The R script of an export, run under R with lme4, against umnist's own mixed model."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest

from tests.labeling.making import come_in, open_small, post
from tests.scoring.simulated import SimulatedStudy, simulate
from umnist_core.labeling.export import export_study
from umnist_core.scoring import MixedLogistic, fit_mixed_logistic

SCRIPT = "mixed_model.R"


def _by_r(folder: Path) -> dict[str, float]:
    """Return what the script finds of the tables in a folder."""
    rscript = shutil.which("Rscript")
    assert rscript, "R is needed: apt-get install r-base-core r-cran-lme4"
    done = subprocess.run(
        [rscript, SCRIPT], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = pd.read_csv(folder / "mixed_model.csv")
    return dict(zip(found["figure"], found["estimate"], strict=True))


def _fixed_export(folder: Path, study: SimulatedStudy) -> None:
    """Write the columns of an export that the script reads."""
    (folder / "tables").mkdir()
    source = resources.files("umnist_core.labeling").joinpath(SCRIPT)
    (folder / SCRIPT).write_bytes(source.read_bytes())
    table = pd.DataFrame(
        {
            "kind": "label",
            "counted": "True",
            "correct": np.where(study.correct, "True", "False"),
            "pool": np.where(study.guided, "guided", "unguided"),
            "annotator": study.annotators,
            "stimulus": study.images,
        }
    )
    # Rows that the model must not see.
    extra = table.head(9).assign(
        kind=["repeat"] * 4 + ["label"] * 5, counted=["True"] * 4 + ["False"] * 5
    )
    pd.concat([table, extra]).to_csv(folder / "tables" / "answers.csv", index=False)


def _check(found: MixedLogistic, by_r: dict[str, float]) -> None:
    assert found.is_converged
    for one in found.effects:
        assert one.log_odds == pytest.approx(by_r[one.name], abs=0.05)
    assert found.person_sd == pytest.approx(by_r["annotator sd"], rel=0.1)
    assert found.image_sd == pytest.approx(by_r["stimulus sd"], rel=0.1)
    assert found.log_likelihood == pytest.approx(by_r["log likelihood"], abs=0.05)


def test_model_is_that_of_glmer(tmp_path: Path) -> None:
    """On a fixed export: fixed effects within 0.05 logits, standard deviations within 10 %."""
    study = simulate(
        np.random.default_rng(1), 0.6, effect=0.5, labels=np.full(20, 25), images=100, times=5
    )
    _fixed_export(tmp_path, study)
    by_r = _by_r(tmp_path)
    _check(fit_mixed_logistic(*study.arrays, {"guided": study.guided}), by_r)
    assert by_r["guided"] == pytest.approx(0.4972, abs=1e-3)  # the same answers as ever


def test_script_of_an_export_runs_as_it_is(tmp_path: Path) -> None:
    """On the tables of a real study it writes what figures.json says."""
    service, study = open_small(
        tmp_path / "lab", stimuli=12, images_per_annotator=12, labels_per_image=8
    )
    rng = np.random.default_rng(3)
    state = service.state(study)
    truth = {name: json.loads(text) for name, text in service.log.read_truth(study).items()}
    ease = dict(zip(state.stimuli, rng.normal(0.3, 1.5, len(state.stimuli)), strict=True))
    for skill in rng.normal(0, 0.8, 16):
        me = come_in(service, study)
        while (trial := service.annotator_view(study, me).trial) is not None:
            image = service.state(study).assignments[trial.key].stimulus
            right = rng.logistic() < skill + ease[image]
            label = truth[image]["label"]
            service.answer(study, me, post(trial.key, label if right else (label + 1) % 28))
    export_study(service, study, tmp_path / "x.zip")
    with ZipFile(tmp_path / "x.zip") as archive:
        archive.extractall(tmp_path / "out")
    mixed = json.loads((tmp_path / "out" / "figures.json").read_text())["mixed"]
    by_r = _by_r(tmp_path / "out")
    assert mixed["labels"] == 192
    for one in mixed["effects"]:
        assert one["log_odds"] == pytest.approx(by_r[one["name"]], abs=0.05)
    assert mixed["person_sd"] == pytest.approx(by_r["annotator sd"], rel=0.1, abs=0.01)
    assert mixed["image_sd"] == pytest.approx(by_r["stimulus sd"], rel=0.1, abs=0.01)
