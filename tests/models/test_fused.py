"""Networks whose normalisation is folded away answer as before."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from umnist_core.digits import load_glyphs
from umnist_core.inference.predictor import Predictor
from umnist_core.inference.requests import PredictRequest, SceneImage
from umnist_core.models.cards import find_checkpoints, get_checkpoint
from umnist_core.models.checkpoints import load_checkpoint
from umnist_core.models.fused import fuse
from umnist_core.pyramid.sources import scene_source
from umnist_core.scenes import SceneRef

SHIPPED = sorted(find_checkpoints())


def norms(model: nn.Module) -> int:
    """Count the batch normalisations of a model."""
    return sum(isinstance(one, nn.BatchNorm2d) for one in model.modules())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_answer_as_they_did(name: str) -> None:
    """Logits by rounding, the answer exactly, and no normalisation is left."""
    model, card = load_checkpoint(get_checkpoint(name))
    preset = card.data.get("preset")
    ref = SceneRef.of(
        preset if preset in ("needle", "megapixel", "patchgd") else "released", seed=9
    )
    source = scene_source(ref.plan(load_glyphs()), load_glyphs())
    with torch.no_grad():
        before = model.attend(model.collate([model.prepare(source)]))
        count = norms(model)
        fuse(model)
        after = model.attend(model.collate([model.prepare(source)]))
    for one, other in zip(before.logits.values(), after.logits.values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-3)
        assert one.argmax() == other.argmax()
    # Its layers are in lists, one of convolutions and one of norms.
    assert norms(model) == (count if name == "fov-max" else 0)


def test_only_what_follows_and_has_learned_is_folded() -> None:
    """A net that learns keeps its normalisations, and so does one without running figures."""
    learning = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    fuse(learning)
    assert norms(learning) == 1
    without = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False)).eval()
    fuse(without)
    assert norms(without) == 1
    apart = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4)).eval()
    fuse(apart)
    assert norms(apart) == 1


def test_predictor_uses_it() -> None:
    """Live inference is where it counts."""
    predictor = Predictor("cpu")
    image = SceneImage(SceneRef.of("released", seed=9), "full")
    predictor.predict(PredictRequest("digit-finder", "cpu", image))
    (loaded,) = predictor._models.values()
    assert norms(loaded.model) == 0
