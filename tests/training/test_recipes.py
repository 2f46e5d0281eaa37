"""Every recipe that comes with umnist is the one of its document, number by number.

`TOLD` has what the documents say and where, and `OURS` which settings of a file are from none; a
setting that is in neither fails, as does a file that does not say which are ours. Facts alone are
taken from the documents.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.training.sign_recipes import SIGN_IMAGES, SIGNS, Facts
from umnist_core.datasets.meth.published import PUBLISHED
from umnist_core.models.papers.convnet import ConvNetConfig
from umnist_core.models.registry import get_entry
from umnist_core.scenes import get_preset
from umnist_core.training.config import TrainConfig, config_names, load_config
from umnist_core.training.order import split_places
from umnist_core.training.own.courses import parse_course
from umnist_core.training.runs import find_configs
from umnist_core.training.schedule import Plateau, learning_rate_at

# Gupta et al., Scientific Data 2024, doi 10.1038/s41597-024-03587-4
_DATA = "Gupta 2024, Data description"
_SPLIT = "Gupta 2024, Implementation details"
_TRAINING = "Gupta 2024, Training details"
_HARDWARE = "Gupta 2024, Hardware configuration"
_WHOLE = "Gupta 2024, Can we use the full-resolution images directly?"
_NETS = "Gupta 2024, Deep CNN models"
_DETECTOR = "Gupta 2024, FasterRCNN implementation"
_NOISE_FREE = "Gupta 2024, Implications of noise, Dataset creation"
_USAGE = "Gupta 2024, Usage notes: pretrained models of torchvision"
_CODE = "the released training code of Gupta 2024"
# Riffi-Aslett and Fell, arXiv 2412.11237
_SETUP = "Riffi-Aslett and Fell, section 4, hyperparameters"
_NOISE = "Riffi-Aslett and Fell, section 4.2"
_SIZES = "Riffi-Aslett and Fell, section 4.5 and table 7"
_IPS_CODE = "the released configuration of Bergner 2023, for Megapixel MNIST"
# Pawlowski et al., arXiv 1908.06037
_NEEDLE = "Pawlowski 2019, Needle MNIST"
_NEEDLE_CODE = "the released training code of Pawlowski 2019"

# Parés et al., "MetH", 2019
_METH = "Parés 2019, section 4, and table 2"
_METH_CODE = "the released code of Parés 2019"

_OF_ULTRAMNIST: Facts = {
    "data.preset": ("released", _DATA),
    "data.count": (28_000, _DATA),
    "data.split": ("train", _DATA),
    "data.validation_share": (0.1, _SPLIT),
    "data.split_seed": (42, _CODE),
    "optimizer.name": ("adam", _TRAINING),
    "optimizer.weight_decay": (0.0, _TRAINING),
    "run.epochs": (50, _CODE),
    "model.pretrained": ("imagenet", _USAGE),
    "model.settings.hidden": (100, _CODE),
}

_BUDGETS = {
    "11gb": {
        "efficientnet-b0": [(256, 1e-3, 0.8, 76), (512, 1e-3, 0.8, 20), (1024, 1e-4, 0.94, 4)],
        "efficientnet-b3": [(256, 1e-3, 0.8, 40), (512, 5e-4, 0.97, 12), (1024, 5e-5, 0.97, 2)],
        "resnet50": [(256, 2e-3, 1, 68), (512, 1e-3, 0.94, 18), (1024, 1e-3, 0.97, 3)],
    },
    "24gb": {
        "efficientnet-b0": [(256, 4e-3, 0.98, 170), (512, 2e-3, 0.98, 46), (1024, 2e-3, 0.98, 10)],
        "efficientnet-b3": [(256, 2e-3, 0.98, 92), (512, 8e-4, 0.98, 32), (1024, 2e-3, 0.98, 6)],
        "resnet50": [(256, 2e-3, 1, 140), (512, 2e-3, 1, 48), (1024, 3e-4, 0.98, 10)],
    },
}
"""Side, learning rate, gamma and batch of tables 1 and 2."""


def _budgeted() -> Iterator[tuple[str, Facts]]:
    for budget, table in zip(("11gb", "24gb"), ("table 1", "table 2"), strict=True):
        where = f"Gupta 2024, {table}"
        for model, rows in _BUDGETS[budget].items():
            for side_px, rate, gamma, batch in rows:
                yield (
                    f"{model}-{side_px}-{budget}",
                    _OF_ULTRAMNIST
                    | {
                        "model.name": (model, where),
                        "model.settings.side_px": (side_px, where),
                        "optimizer.learning_rate": (rate, where),
                        "schedule.name": ("exponential", _TRAINING),
                        "schedule.gamma": (gamma, where),
                        "run.batch_size": (batch, where),
                        "run.accumulate": (1, where),
                        "run.memory_budget": (budget.upper(), _HARDWARE),
                    },
                )


def _unbounded(side_px: int, rate: float, batch: int, parts: int, where: str) -> Facts:
    return _OF_ULTRAMNIST | {
        "model.name": ("efficientnet-b0", _TRAINING),
        "model.settings.side_px": (side_px, _TRAINING),
        "optimizer.learning_rate": (rate, _TRAINING),
        "schedule.name": ("exponential", _TRAINING),
        "schedule.gamma": (1.0, _TRAINING),
        "run.batch_size": (batch, where),
        "run.accumulate": (parts, where),
    }


def _on_tpu(side_px: int, rate: float, initial: str, pretrained: str) -> Facts:
    told = {key: fact for key, fact in _OF_ULTRAMNIST.items() if key != "run.epochs"}
    return told | {
        "model.name": ("efficientnet-b7", _NETS),
        "model.initial": (initial, _NETS),
        "model.pretrained": (pretrained, _NETS),
        "model.settings.side_px": (side_px, _NETS),
        "data.invert": (True, _NETS),
        "optimizer.learning_rate": (rate, _NETS),
        "schedule.name": ("plateau", _NETS),
    }


_METH_SETS = {"medium": (23, 23_000, 24), "cultures": (15, 12_000, 39), "period": (0, 8_000, 36)}
"""Classes and training images, and the epoch of the best, by the document."""


def _of_meth(name: str, *, is_released: bool) -> Facts:
    """Return the baseline of one of MetH's sets, as its code or as its document has it."""
    classes, images, best = _METH_SETS[name]
    epochs, rate, where = (best, 1e-3, _METH)
    if is_released:
        epochs, rate, where = (100 if classes else 9, 1e-4, _METH_CODE)
    told: Facts = {
        "model.name": ("vgg16", _METH),
        "model.pretrained": ("none", _METH),
        "model.settings.answers": ("class" if classes else "year", _METH),
        "model.settings.width": (64, _METH),
        "model.settings.hidden": (4096, _METH),
        "model.settings.resized_px": (256, _METH),
        "model.settings.crop_px": (224, _METH),
        "model.settings.evaluates_with_dropout": (is_released, where),
        "data.folder": (f"MetH-{name.title()}", _METH),
        "data.split": ("train", _METH),
        "data.count": (0, _METH),
        "data.validation_split": ("val", _METH),
        "training images": (images, _METH),
        "optimizer.name": ("adam", _METH),
        "optimizer.weight_decay": (0.0, _METH_CODE),
        "optimizer.learning_rate": (rate, where),
        "schedule.name": ("constant", _METH_CODE),
        "run.epochs": (epochs, where),
    }
    if classes:
        told["model.settings.classes"] = (classes, _METH)
    if is_released:
        told["run.batch_size"] = (256, _METH_CODE)
    if is_released or not classes:  # the mean squared error has but one form
        told["model.settings.loss"] = ("sum" if classes else "mean", _METH_CODE)
    return told


TOLD: dict[str, Facts] = {
    **dict(_budgeted()),
    **{
        f"vgg16-meth-{name}-{kind}": _of_meth(name, is_released=kind == "released")
        for name in _METH_SETS
        for kind in ("released", "described")
    },
    "efficientnet-b0-2048": _unbounded(2048, 1.4e-4, 4, 1, _TRAINING),
    # A batch of 1 fits into 32 GB; its gradients are accumulated over 256 steps.
    "efficientnet-b0-4000": _unbounded(4000, 8e-4, 256, 256, _WHOLE),
    "efficientnet-b7-1024-stage1": _on_tpu(1024, 5e-4, "", "imagenet"),
    "efficientnet-b7-1536-stage2": _on_tpu(
        1536, 1e-4, "runs/efficientnet-b7-1024-stage1/best.safetensors", "none"
    ),
    "mobilenet-v3-resizer-1280": {
        key: fact for key, fact in _OF_ULTRAMNIST.items() if key != "run.epochs"
    }
    | {
        "model.name": ("mobilenet-v3-resizer", _NETS),
        "model.settings.side_px": (1280, "Gupta 2024, table 3"),
        "schedule.name": ("exponential", _TRAINING),
        "run.memory_budget": ("16GB", _HARDWARE),
    },
    "faster-rcnn-noise-study": {
        "model.name": ("faster-rcnn", _DETECTOR),
        "model.pretrained": ("imagenet", _DETECTOR),
        "model.settings.side_px": (4000, _DETECTOR),
        "model.settings.min_score": (0.4, _DETECTOR),
        "data.preset": ("released", _NOISE_FREE),
        "data.layer": ("noise_free", _NOISE_FREE),
        "data.count": (2800, _NOISE_FREE),
        "data.validation_share": (0.2, _NOISE_FREE),
        "optimizer.name": ("adamw", _DETECTOR),
        "optimizer.learning_rate": (1e-4, _DETECTOR),
        "run.epochs": (50, _DETECTOR),
        "run.batch_size": (16, _DETECTOR),
        "run.select": ("loss", _DETECTOR),
    },
    "ips-megapixel-1500": {
        "model.name": ("ips", _SETUP),
        "model.pretrained": ("none", _SETUP),
        "model.settings.encoder": ("resnet18", _SETUP),
        "model.settings.blocks": (2, _IPS_CODE),
        "model.settings.width": (128, _IPS_CODE),
        "model.settings.patch_px": (50, _SETUP),
        "model.settings.stride_px": (50, _SETUP),
        "model.settings.memory": (100, _SETUP),
        "model.settings.iteration": (100, _SETUP),
        "model.settings.heads": (8, _IPS_CODE),
        "model.settings.key_width": (16, _IPS_CODE),
        "model.settings.value_width": (16, _IPS_CODE),
        "model.settings.inner_width": (512, _IPS_CODE),
        "model.settings.positions": (True, _IPS_CODE),
        "model.settings.dropout": (0.1, _IPS_CODE),
        "model.settings.attention_dropout": (0.1, _IPS_CODE),
        "data.preset": ("megapixel-bezier", _NOISE),
        "scene.canvas": ("1500", _SIZES),
        "scene.digit_size": ("28", _SIZES),
        "scene.noise_count": ("800", _NOISE),
        "training images": (5000, _SIZES),
        "optimizer.name": ("adamw", _IPS_CODE),
        "optimizer.learning_rate": (1e-3, _SETUP),
        "optimizer.weight_decay": (0.1, _IPS_CODE),
        "schedule.name": ("warmup-cosine", _SETUP),
        "schedule.warmup_epochs": (10.0, _SETUP),
        "schedule.floor": (1e-3, _SETUP),
        "run.epochs": (150, _SIZES),
        "run.batch_size": (16, _SETUP),
        "run.accumulate": (1, _SETUP),
    },
    **SIGNS,
    "needle-cnn-64": {
        "model.name": ("needle-cnn", _NEEDLE_CODE),
        "model.pretrained": ("none", _NEEDLE_CODE),
        "model.settings.width": (64, _NEEDLE_CODE),
        "model.settings.blocks": ((3, 4, 6, 3), _NEEDLE_CODE),
        "model.settings.stem_stride": (1, _NEEDLE_CODE),
        "model.settings.norm": ("instance", _NEEDLE_CODE),
        "model.settings.pooling": ("mean", _NEEDLE_CODE),
        "model.settings.is_compensated": (True, _NEEDLE_CODE),
        "data.preset": ("needle", _NEEDLE),
        "data.seed": (1234, _NEEDLE_CODE),
        "data.overrides.canvas": ("64", _NEEDLE),
        "scene.label": ("balanced", _NEEDLE_CODE),
        "training images": (22_552, _NEEDLE),
        "optimizer.name": ("rmsprop", _NEEDLE_CODE),
        "optimizer.learning_rate": (5e-5, _NEEDLE_CODE),
        "optimizer.weight_decay": (0.0, _NEEDLE_CODE),
        "schedule.name": ("milestones", _NEEDLE_CODE),
        "schedule.milestones": ((80, 120, 160), _NEEDLE_CODE),
        "schedule.gamma": (0.1, _NEEDLE_CODE),
        "run.epochs": (200, _NEEDLE_CODE),
        "run.batch_size": (32, _NEEDLE_CODE),
        "run.accumulate": (1, _NEEDLE_CODE),
        "run.select": ("accuracy", _NEEDLE_CODE),
    },
}
"""Recipe -> what its document says."""

_SAME_EVERYWHERE = ("run.seed", "data.workers")
"""Settings that say how a run is repeated, not what it is."""

OURS: dict[str, tuple[str, str]] = {
    "efficientnet-b7-1024-stage1": (
        "schedule.gamma schedule.patience run.epochs run.batch_size run.accumulate run.precision",
        "The paper gives no batch size, epochs, factor or patience; those below are ours, and so "
        "are parts and precision.",
    ),
    "mobilenet-v3-resizer-1280": (
        "model.settings.backbone_px optimizer.learning_rate schedule.gamma run.epochs "
        "run.batch_size run.precision",
        "The paper gives the input alone; the rest is ours.",
    ),
    "faster-rcnn-noise-study": (
        "optimizer.weight_decay schedule.name run.accumulate",
        "It names no weight decay and no schedule, so PyTorch's 0.01 and none; parts are ours.",
    ),
    "ips-megapixel-1500": ("data.count", "a tenth validates"),
    "needle-cnn-64": (
        "model.settings.kernels data.count data.validation_share",
        "Ours: which blocks have a 3x3 convolution",
    ),
}
for _name in _METH_SETS:
    OURS[f"vgg16-meth-{_name}-released"] = (
        "run.accumulate run.select",
        "Parts and the choice of the best epoch are ours.",
    )
    OURS[f"vgg16-meth-{_name}-described"] = (
        "model.settings.loss run.batch_size run.accumulate run.select"
        if _name != "period"
        else "run.batch_size run.accumulate run.select",
        "parts and the choice of the best epoch are ours.",
    )
OURS["efficientnet-b7-1536-stage2"] = OURS["efficientnet-b7-1024-stage1"]
"""Recipe of a document -> what that does not name, and the words in which the file says so."""

OURS_ALONE = {
    "additive-pyramid": "by its own recipe",
    "digit-finder": "by its own recipe",
    "espcn-meth-sr-x4": "the recipe is ours",
    "faster-rcnn-compact": "All numbers are ours",
    "fov-avg-scale-1": "the papers' own recipe is not known here",
    "fov-max-scale-1": "the papers' own recipe is not known here",
    "ips-compact-200": "for a CPU alone",
    "ips-meth-medium": "nobody has published IPS on MetH",
    "ips-compact-1500": "for a CPU alone",
    "ips-needle-compact-64": "for which no document has a recipe",
    "ips-needle-compact-128": "for which no document has a recipe",
    "ips-needle-compact-256": "for which no document has a recipe",
    "ips-needle-compact-512": "for which no document has a recipe",
    "large-scale-cnn-scale-1": "the papers' own recipe is not known here",
    "needle-cnn-compact-64": "for a CPU alone",
    "needle-cnn-compact-128": "for a CPU alone",
    "needle-cnn-compact-256": "for a CPU alone",
    "plain-cnn": "by its own recipe",
    "sw-max-scale-1": "the papers' own recipe is not known here",
    "vgg16-gap-meth-medium": "the rest is ours",
    "vgg16-spp-meth-medium": "the rest is ours",
}
"""Recipe that no document has -> the words by which its file says so."""


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _meth_images(folder: str) -> int:
    return PUBLISHED[folder].text["train"]


def _training_images(config: TrainConfig) -> int:
    part = config.data
    if part.folder:  # which need not be here
        is_signs = part.folder == "swedish-signs"
        images = SIGN_IMAGES[part.signs.share] if is_signs else _meth_images(part.folder)
        if part.validation_split:
            return images
        return len(split_places(images, part.validation_share, part.split_seed)[0])
    return len(split_places(part.count, part.validation_share, part.split_seed)[0])


def _settings(config: TrainConfig) -> dict[str, Any]:
    """Return every setting of a configuration, those of its model and its scenes included."""
    model = get_entry(config.model.name).config(**config.model.settings)
    return {
        **dict(_flat(config.to_dict())),
        **{f"model.settings.{key}": one for key, one in dataclasses.asdict(model).items()},
        **{f"scene.{key}": one for key, one in get_preset(config.data.preset).to_text().items()},
        "training images": _training_images(config),
    }


def _words(name: str) -> str:
    """Return the comments of a file as one line."""
    lines = find_configs()[name].read_text(encoding="utf-8").splitlines()
    comments = [line.partition("#")[2].strip() for line in lines if "#" in line]
    return re.sub(r"\s+", " ", " ".join(comments))


def test_every_recipe_is_of_a_document_or_says_that_it_is_of_none() -> None:
    """Whoever adds one says here what its document says."""
    assert sorted([*TOLD, *OURS_ALONE]) == config_names()
    assert set(OURS) <= set(TOLD)
    assert (len(TOLD), len(OURS_ALONE)) == (40, 21)
    for name, words in OURS_ALONE.items():
        assert words in _words(name), name


@pytest.mark.parametrize("name", TOLD)
def test_recipe_has_the_numbers_of_its_document(name: str) -> None:
    """Each that the document says, and nothing that it does not but what the file calls ours."""
    found = _settings(load_config(Path(name)))
    for key, (value, where) in TOLD[name].items():
        assert found[key] == value, f"{key}: {found[key]}, in {where} {value}"
    ours, words = OURS.get(name, ("", ""))
    assert words in _words(name)
    written = dict(_flat(tomllib.loads(find_configs()[name].read_text(encoding="utf-8"))))
    unknown = set(written) - set(TOLD[name]) - set(ours.split()) - set(_SAME_EVERYWHERE)
    assert not unknown
    assert not set(ours.split()) & set(TOLD[name])


@pytest.mark.parametrize("name", [*TOLD, *OURS_ALONE])
def test_recipe_can_begin(name: str) -> None:
    """Its parts are whole, and a step takes no more images than there are."""
    config = load_config(Path(name))
    if config.recipe:
        parse_course(config)
        return
    assert config.run.batch_size % config.run.accumulate == 0
    assert 0 < config.run.batch_size <= _training_images(config)


def test_learning_rate_of_a_gamma_of_1_stays() -> None:
    """As the document has it for 2048 and 4000 px."""
    schedule = load_config(Path("efficientnet-b0-4000")).schedule
    rates = {learning_rate_at(schedule, 8e-4, epoch, 50, Plateau()) for epoch in (0, 1.5, 49)}
    assert rates == {8e-4}


def test_budgeted_nets_have_the_documented_head() -> None:
    """Which is the default of every baseline."""
    assert ConvNetConfig().hidden == _OF_ULTRAMNIST["model.settings.hidden"][0]
