"""What the document, code and logs of IPS on Swedish traffic signs say of each of its recipes."""

from __future__ import annotations

from typing import Any

Facts = dict[str, tuple[Any, str]]
"""Setting -> its value, and where it is said."""

_SIGNS = "Riffi-Aslett and Fell, section 4, Swedish traffic signs"
_SIGNS_LOGS = "the configuration that the logs of Riffi-Aslett and Fell begin with"
_SIGNS_CODE = "the released data set of Bergner 2023, for traffic signs"
_PATCHES = "Riffi-Aslett and Fell, table 6"
_FORK = "the released code of Riffi-Aslett and Fell"

SIGN_IMAGES = {1.0: 747, 0.5: 372, 0.25: 184}
"""Training images by the share of the first of each class."""


_SEEN: Facts = {
    "model.settings.resized_px": ((1200, 1600), _SIGNS_CODE),
    "model.settings.means": ((0.485, 0.456, 0.406), _SIGNS_CODE),
    "model.settings.deviations": ((0.229, 0.224, 0.225), _SIGNS_CODE),
    "model.settings.jitter": (0.1, _SIGNS_CODE),
    "model.settings.shift_px": (100, _SIGNS_CODE),
}
"""What is done to a photograph before IPS cuts patches of it."""


def _of_signs(
    share: float, *, patch_px: int = 100, memory: int = 10, where: str = _SIGNS_LOGS
) -> Facts:
    """Return IPS on traffic signs as the logs have it; ``where`` has the side of patches."""
    return {
        "model.name": ("ips", _SIGNS),
        "model.pretrained": ("imagenet", _SIGNS),
        "model.settings.encoder": ("resnet18", _SIGNS),
        "model.settings.channels": (3, _SIGNS_LOGS),
        "model.settings.blocks": (4, _SIGNS_LOGS),
        "model.settings.width": (512, _SIGNS_LOGS),
        "model.settings.heads": (8, _SIGNS_LOGS),
        "model.settings.key_width": (64, _SIGNS_LOGS),
        "model.settings.value_width": (64, _SIGNS_LOGS),
        "model.settings.inner_width": (2048, _SIGNS_LOGS),
        "model.settings.patch_px": (patch_px, where),
        "model.settings.stride_px": (patch_px, where),
        "model.settings.edges": ("drop", _SIGNS_CODE),
        "model.settings.memory": (memory, where),
        "model.settings.iteration": (32, _SIGNS),
        "model.settings.positions": (False, _SIGNS_LOGS),
        "model.settings.shuffle": (True, _SIGNS_LOGS),
        "model.settings.tasks": (("class:4",), _SIGNS_LOGS),
        "model.settings.dropout": (0.1, _SIGNS_LOGS),
        "model.settings.attention_dropout": (0.1, _SIGNS_LOGS),
        **_SEEN,
        "model.settings.frozen_encoder": (False, _SIGNS),
        "data.folder": ("swedish-signs", _SIGNS),
        "data.count": (0, _SIGNS_LOGS),
        "data.validation_split": ("test", _FORK),
        "data.signs.chosen": ("ats", _SIGNS_CODE),
        "data.signs.subset": ("all" if share == 1 else "first", _FORK),
        "data.signs.share": (share, _FORK),
        "training images": (SIGN_IMAGES[share], _SIGNS_LOGS),
        "optimizer.name": ("adamw", _SIGNS_LOGS),
        "optimizer.learning_rate": (3e-4, _SIGNS),
        "optimizer.weight_decay": (0.1, _SIGNS_LOGS),
        "schedule.name": ("warmup-cosine", _SIGNS),
        "schedule.warmup_epochs": (10.0, _SIGNS),
        "schedule.floor": (1e-3, _SIGNS),
        "run.epochs": (150, _SIGNS),
        "run.batch_size": (16, _SIGNS),
        "run.accumulate": (1, _SIGNS),
    }


def _plain(share: float, **others: Any) -> Facts:
    """Return such a recipe without what was tried against overfitting."""
    off: Facts = {
        f"model.settings.{name}": (0, _SIGNS_LOGS)
        for name in ("head_diversity", "head_loss", "stkim_share", "stkim_top")
    }
    return _of_signs(share, **others) | off


SIGNS: dict[str, Facts] = {
    "ips-signs": _plain(1.0),
    "ips-signs-half": _plain(0.5),
    "ips-signs-quarter": _plain(0.25),
    "ips-signs-quarter-75px": _plain(0.25, patch_px=75, where=_PATCHES),
    "ips-signs-quarter-50px": _plain(0.25, patch_px=50, where=_PATCHES),
    # The table says M = 10.
    "ips-signs-quarter-25px": _plain(0.25, patch_px=25, memory=20),
    "ips-signs-quarter-diversity": _of_signs(0.25)
    | {
        "model.settings.head_diversity": (0.1, "the names of their logs"),
        "model.settings.diversity_of": ("outputs", _FORK),
        "model.settings.head_loss": (1.0, _FORK),
        "model.settings.stkim_top": (0, _SIGNS_LOGS),
    },
    "ips-signs-quarter-stkim": _of_signs(0.25)
    | {
        "model.settings.stkim_share": (0.05, _SIGNS_LOGS),
        "model.settings.stkim_top": (10, _SIGNS_LOGS),
        "model.settings.head_diversity": (0.0, _SIGNS_LOGS),
        "model.settings.head_loss": (0.0, _SIGNS_LOGS),
    },
}
"""Recipe -> what is said of it."""
