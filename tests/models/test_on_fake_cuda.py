"""Every model, loss, attention and step of evaluation runs on a GPU that is not there.

On fake tensors (`umnist_core.training.fake_device`) a tensor that was left on the CPU, one of
another type, or one that NumPy cannot take raises as it would on a card. `COVERED` says of each
model what is made up, and so which lines run on numbers that no image gave. What kernels compute,
and whether it fits, no fake tensor says.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.models.fake_steps import CUDA, as_configured, check, configured, learn, lose, place
from tests.models.small import ALL, SMALL, SmallPhotographs, small_kind
from umnist_core.datasets import Recipe
from umnist_core.models.base import IMAGE, Model, ModelOutput
from umnist_core.models.ips.model import IPS
from umnist_core.models.papers import convnet
from umnist_core.models.papers.espcn import Espcn, enlarge_whole
from umnist_core.models.reduced import normalised
from umnist_core.models.registry import create_model
from umnist_core.training.config import config_names, load_config
from umnist_core.training.data import Item, Samples, SceneSamples
from umnist_core.training.evaluate import evaluate
from umnist_core.training.fake_device import SHARE, fake_device
from umnist_core.training.own.courses import rehearse_course
from umnist_core.training.peaks import batch_phase, copy_sharing
from umnist_core.training.precision import PRECISIONS

_ALL_REAL = "Nothing decides; only the loss, the answer and the map that are read off are made up."

COVERED = {
    "additive-pyramid": "Staircases are read from real pixels; what a patch is is made up: as "
    "likely anything as nothing, so that all count as digits and the image is tried turned.",
    "digit-finder": "Edges and staircases are read from real pixels; all places of a window have "
    "the same score, and whether a digit is there is made up as well.",
    "efficientnet-b0": _ALL_REAL,
    "efficientnet-b3": _ALL_REAL,
    "efficientnet-b7": _ALL_REAL,
    "espcn": _ALL_REAL,
    "faster-rcnn": "All regions and boxes are kept, all anchors match a digit, and all digits that "
    "are found are 0; which boxes overlap is not worked out.",
    "fov-avg": _ALL_REAL,
    "fov-max": _ALL_REAL,
    "ips": "Patches and their keys are real; every image counts as undecided and is selected again "
    "without folding, and the patches that are chosen are all the second one.",
    "large-scale-cnn": _ALL_REAL,
    "mobilenet-v3-resizer": _ALL_REAL,
    "needle-cnn": _ALL_REAL,
    "plain-cnn": _ALL_REAL,
    "resnet50": _ALL_REAL,
    "sw-max": _ALL_REAL,
    "vgg16": _ALL_REAL,
    "vgg16-gap": _ALL_REAL,
    "vgg16-spp": _ALL_REAL,
}
"""Model -> what is made up; all else of its code runs as it is, on real shapes."""

CONFIGS = {name: load_config(Path(name)) for name in config_names()}
PLAIN = [name for name, config in CONFIGS.items() if not config.recipe]
PHASES = {
    "additive-pyramid": ["lesson-1", "lesson-2", "lesson-3", "lesson-4"],
    "digit-finder": ["spots", "glyphs", "tuning"],
    "plain-cnn": ["lesson-1", "lesson-2", "lesson-3", "lesson-4", "lesson-5", "lesson-6"],
}


STEPPED = [name for name in ALL if name not in (*PHASES, "efficientnet-b3", "efficientnet-b7")]
"""Models of which a whole step is done; these two have the class of EfficientNet-B0."""


def test_what_is_covered_is_counted() -> None:
    """Whoever adds a model or a configuration sees here that it is run, and says how."""
    assert tuple(sorted(COVERED)) == ALL
    assert sorted(PHASES) == sorted(set(CONFIGS) - set(PLAIN))
    phases = sum(map(len, PHASES.values()))
    assert (len(ALL), len(CONFIGS), phases) == (19, 61, 13)
    settings = {(CONFIGS[name].model.name, str(CONFIGS[name].model.settings)) for name in PLAIN}
    # A loss for each configuration; another, a validation and attention for each of their settings;
    # another validation for each model; a loss and a whole step for each phase; a whole step for
    # others; an evaluation for each model.
    plain = len(PLAIN) + 3 * len(settings) + len(ALL) - len(PHASES)
    assert plain + 2 * phases + len(STEPPED) + len(ALL) == 259
    for one in ALL:
        assert one in PHASES or _configs_of(one)


def _configs_of(name: str) -> list[str]:
    return [one for one in PLAIN if CONFIGS[one].model.name == name]


@pytest.mark.parametrize(
    ("name", "all_of_them"),
    [
        pytest.param(name, every, marks=[pytest.mark.long] if every else [])
        for name in ALL
        for every in (False, True)
        if name not in PHASES and not (every and len(_configs_of(name)) <= 2)
    ],
)
def test_model_runs_as_each_configuration_has_it(name: str, all_of_them: bool) -> None:
    """Its batch at its size, in 32 bits and mixed; the loss and logits come out on the GPU.

    Of many configurations of a model the first and the last are tried always, and all with
    ``--long``.
    """
    there: Model | None = None
    seen: set[Any] = set()
    configs = _configs_of(name)
    if not all_of_them:
        configs = [*dict.fromkeys((configs[0], configs[-1]))]
    with fake_device(CUDA):
        for one in configs:
            model, items = configured(one)
            there = as_configured(there, model)
            own = CONFIGS[one].run.precision
            # Where only the batch is another, the rest was done.
            for precision in (own,) if model.config in seen else PRECISIONS:
                loss = lose(batch_phase(there, items, CUDA), there, precision)
                assert (loss.device.type, loss.dtype, loss.shape) == ("cuda", torch.float32, ())
                assert loss.requires_grad
            if model.config not in seen:
                for precision in (own,) if seen else PRECISIONS:
                    assert check(there, items, precision).loss > 0
                _check_attention(there, items)
                seen.add(model.config)


def _check_attention(model: Model, items: list[Item]) -> None:
    output = model.eval().attend(model.collate([items[0][0]]))
    for task in model.tasks:
        logits = output.logits[task.name]
        shape = (1, task.classes) if task.asks != IMAGE else (1, 3, *logits.shape[2:])
        assert (logits.device.type, tuple(logits.shape)) == ("cuda", shape)
    assert output.attention is not None
    assert len(output.attention) == 1


@pytest.mark.parametrize("name", STEPPED)
def test_model_does_a_whole_step(name: str) -> None:
    """Forward, backward and the optimiser in mixed precision, of its first configuration."""
    first = _configs_of(name)[0]
    model, items = configured(first)
    phase = batch_phase(model, items, CUDA, optimizer=CONFIGS[first].optimizer)
    assert learn(phase, "mixed") == [SHARE]


@pytest.mark.parametrize("name", PHASES)
def test_course_does_a_step_of_every_phase(name: str) -> None:
    """Each net and each loss with batches as the course draws them; the whole step mixed."""
    done = []
    for phase in rehearse_course(CONFIGS[name]):
        done.append(phase.name)
        with fake_device(CUDA):
            loss = lose(phase, place(phase.net), "float32")
        assert (loss.device.type, loss.dtype) == ("cuda", torch.float32)
        assert learn(phase, "mixed") == [SHARE]
    assert done == PHASES[name]


def _samples(model: Model) -> Samples:
    """Return two small images of the kind that a model answers for, each with a digit."""
    if model.sees_colour:
        return SmallPhotographs(2)
    preset, overrides = small_kind(model.tasks)
    one = {"label": "1"} if preset == "needle" else {}
    return SceneSamples(Recipe(2, preset, overrides=overrides | one))


def test_photograph_is_enlarged_tile_by_tile() -> None:
    """Its tiles come from the GPU, whole."""
    model = create_model("espcn", SMALL["espcn"])
    assert isinstance(model, Espcn)
    image = np.zeros((20, 30, 3), np.uint8)
    with fake_device(CUDA):
        high = enlarge_whole(image, 4, place(model), tile_px=16)
    assert high.shape == (80, 120, 3)


@pytest.mark.parametrize("name", [name for name in ALL if name != "espcn"])
def test_model_is_evaluated(name: str) -> None:
    """Answers, confidence, digits and attention of small images, compared with their truth."""
    model = create_model(name, SMALL.get(name))
    samples = _samples(model)
    with fake_device(CUDA):
        found = evaluate(place(model), samples, batch_size=2)
    assert [row["id"] for row in found.rows] == [samples.get(place).image_id for place in (0, 1)]
    assert not found.no_attention
    is_compared = not model.sees_colour
    assert all(("attention_mass" in row) == is_compared for row in found.rows)


# -- planted faults -------------------------------------------------------------------


def test_tensor_that_a_forward_leaves_on_the_cpu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mean of the channels, made where it is used, as one would write it on the CPU."""

    def reduced_by_means(*arguments: Any) -> Tensor:
        return normalised(*arguments) - torch.tensor([0.4, 0.5, 0.6]).view(1, 3, 1, 1)

    model, items = configured("efficientnet-b0-256-11gb")
    monkeypatch.setattr(convnet, "normalised", reduced_by_means)
    with fake_device(CUDA), pytest.raises(RuntimeError, match="two devices, cuda:0 and cpu"):
        lose(batch_phase(model, items, CUDA), place(model), "float32")


def test_tensor_that_a_loss_leaves_on_the_cpu_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of the classes of a task."""

    def weighted(model: IPS, output: ModelOutput, targets: dict[str, Tensor]) -> Tensor:
        weights = torch.ones(model.tasks[0].classes)
        name = model.tasks[0].name
        return nn.functional.cross_entropy(output.logits[name], targets[name], weights)

    model, items = configured("ips-compact-200")
    monkeypatch.setattr(IPS, "loss", weighted)
    with fake_device(CUDA), pytest.raises(RuntimeError, match="two devices, cuda:0 and cpu"):
        lose(batch_phase(model, items[:2], CUDA), place(model), "float32")


class _InFull(nn.Module):
    """Computes a part in 32 bits, and forgets that what comes in has 16."""

    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.part = part

    def forward(self, seen: Tensor) -> Tensor:
        with torch.autocast("cuda", enabled=False):
            logits: Tensor = self.part(seen)
        return logits


def test_type_that_only_mixed_precision_makes_is_found() -> None:
    """A head in 32 bits on features of 16; in float32 all is well."""
    model, items = configured("resnet50-256-11gb")
    broken: Any = copy_sharing(model)
    broken.net.fc = _InFull(broken.net.fc)
    with fake_device(CUDA):
        there = place(broken)
        lose(batch_phase(there, items, CUDA), there, "float32")
        with pytest.raises(RuntimeError, match="same dtype"):
            lose(batch_phase(there, items, CUDA), there, "mixed")


def test_map_that_numpy_has_no_type_for_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights of attention as mixed precision gives them, straight to an array."""
    model, items = configured("ips-compact-200")
    as_it_is = IPS._maps

    def in_16_bits(model: IPS, batch: Any, indices: Tensor, weights: Tensor) -> Any:
        return as_it_is(model, batch, indices, weights.bfloat16())

    monkeypatch.setattr(IPS, "_maps", in_16_bits)
    with fake_device(CUDA), pytest.raises(TypeError, match="bfloat16"):
        check(place(model), items[:2], "mixed")
