"""Checkpoints come back as they were, or are refused in a sentence; nothing unpickles."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from umnist_core.errors import (
    DamagedFileError,
    InvalidValueError,
    MissingFileError,
    NotFoundError,
    UmnistError,
)
from umnist_core.models import registry
from umnist_core.models.base import Model, ModelOutput
from umnist_core.models.cards import (
    CARD_TYPES,
    SHIPPED,
    Card,
    card_path,
    find_checkpoints,
    get_checkpoint,
    load_card,
)
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.pyramid import TileSource
from umnist_core.settings import load_settings


@dataclass(frozen=True)
class TinyConfig:
    """A width."""

    width: int = 3


class Tiny(Model):
    """A model with a matrix, vectors and a counter."""

    def __init__(self, config: TinyConfig) -> None:
        super().__init__()
        self.config = config
        self.layer = nn.Linear(config.width, 28)
        self.norm = nn.BatchNorm1d(28)

    def prepare(self, source: TileSource) -> Any:
        """Nothing is read."""
        return source

    def collate(self, prepared: Sequence[Any]) -> Any:
        """Nothing is joined."""
        return prepared

    def forward(self, batch: Any) -> ModelOutput:
        """Apply the layer."""
        return ModelOutput({"sum": self.norm(self.layer(batch))})


class Other(Tiny):
    """Another model with the same weights."""


@pytest.fixture(autouse=True)
def tiny_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register the two."""
    for name, model in (("tiny", Tiny), ("other", Other)):
        monkeypatch.setitem(registry._FILES, name, "base")
        monkeypatch.setitem(registry._entries, name, registry.Entry(name, model, TinyConfig))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Save a tiny model of width 5."""
    torch.manual_seed(0)
    path = tmp_path / "tiny.safetensors"
    card = Card("tiny", data={"seed": 7}, notes=("One note.",), seconds=1.5)
    save_checkpoint(path, Tiny(TinyConfig(5)), card)
    return path


def test_checkpoint_comes_back_with_the_same_outputs_and_card(saved: Path) -> None:
    """Weights, settings and card are those that were saved, and the model is in eval mode."""
    torch.manual_seed(0)
    before = Tiny(TinyConfig(5)).eval()
    model, card = load_checkpoint(saved)
    batch = torch.rand(4, 5)
    assert torch.equal(model(batch).logits["sum"], before(batch).logits["sum"])
    assert (card.config, card.data, card.notes) == ({"width": 5}, {"seed": 7}, ("One note.",))
    assert not model.training
    assert card == load_card(saved)


def test_half_precision_halves_matrices_and_keeps_vectors(tmp_path: Path) -> None:
    """Kernels go to 16 bits, norms do not, and what would overflow stays; it loads in 32."""
    model = Tiny(TinyConfig(400))
    model.state_dict()["norm.running_var"].fill_(1e-9)
    save_checkpoint(tmp_path / "whole.safetensors", model, Card("tiny"))
    save_checkpoint(tmp_path / "half.safetensors", model, Card("tiny"), half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[0] > 1.9 * sizes[1]
    loaded, _ = load_checkpoint(tmp_path / "half.safetensors")
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}
    assert torch.equal(
        loaded.state_dict()["norm.running_var"], model.state_dict()["norm.running_var"]
    )
    assert torch.allclose(
        loaded.state_dict()["layer.weight"], model.layer.weight, rtol=1e-3, atol=1e-5
    )
    with torch.no_grad():
        model.layer.weight[0, 0] = 1e6
    save_checkpoint(tmp_path / "half.safetensors", model, Card("tiny"), half=True)
    loaded, _ = load_checkpoint(tmp_path / "half.safetensors")
    assert torch.equal(loaded.state_dict()["layer.weight"], model.layer.weight)


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _flip_a_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def _pickle(path: Path) -> None:
    torch.save(Tiny(TinyConfig(5)).state_dict(), path)


def _write_text(path: Path) -> None:
    path.write_text("no weights")


def _write_foreign(path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"layer.weight": torch.zeros(28, 5)}, path)


def _take_card_of_other_model(path: Path) -> None:
    _change_card(path, model="other")


def _change_width(path: Path) -> None:
    _change_card(path, config={"width": 6})


def _change_setting(path: Path) -> None:
    _change_card(path, config={"height": 6})


def _break_card(path: Path) -> None:
    card_path(path).write_text("{")


def _empty_card(path: Path) -> None:
    card_path(path).write_text("[]")


def _change_card(path: Path, **changes: object) -> None:
    card = json.loads(card_path(path).read_text())
    card_path(path).write_text(json.dumps(card | changes))


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (_truncate, "damaged"),
        (_flip_a_bit, "SHA-256"),
        (_pickle, "pickled"),
        (_write_text, "no safetensors"),
        (_write_foreign, "not written by"),
        (_take_card_of_other_model, "card is that of 'other'"),
        (_change_width, r"shape \(28, 6\), found \(28, 5\)"),
        (_change_setting, "no setting 'height'"),
        (_break_card, "not JSON"),
        (_empty_card, "missing or unknown"),
    ],
)
def test_checkpoint_that_is_wrong_is_refused_in_a_sentence(
    saved: Path, harm: Callable[[Path], None], says: str
) -> None:
    """Damaged, pickled, foreign files and cards of other models are refused, saying why."""
    harm(saved)
    with pytest.raises(DamagedFileError, match=says) as caught:
        load_checkpoint(saved)
    assert "\n" not in str(caught.value)


def test_checkpoint_with_values_that_are_not_finite_is_refused(tmp_path: Path) -> None:
    """Weights with NaN are never loaded."""
    model = Tiny(TinyConfig())
    with torch.no_grad():
        model.layer.bias[2] = torch.nan
    save_checkpoint(tmp_path / "a.safetensors", model, Card("tiny"))
    with pytest.raises(DamagedFileError, match=r"layer\.bias has values that are not finite"):
        load_checkpoint(tmp_path / "a.safetensors")


def test_pickled_file_is_never_executed(tmp_path: Path, saved: Path) -> None:
    """A pickle that would write a file is refused, and the file is not there."""
    import pickle

    target = tmp_path / "executed"

    class Harm:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (target,))

    for protocol in range(2, 6):
        saved.write_bytes(pickle.dumps(Harm(), protocol=protocol))
        with pytest.raises(UmnistError, match="pickled"):
            load_checkpoint(saved)
    assert not target.exists()


def test_missing_file_and_missing_card_are_named(saved: Path) -> None:
    """What is not there is named."""
    with pytest.raises(MissingFileError, match=r"none\.safetensors"):
        load_checkpoint(saved.with_name("none.safetensors"))
    card_path(saved).unlink()
    with pytest.raises(MissingFileError, match=r"card tiny\.json"):
        load_checkpoint(saved)


def test_card_of_another_model_is_not_written(tmp_path: Path) -> None:
    """A model is saved under its own name and suffix only."""
    with pytest.raises(InvalidValueError, match="the model is a Tiny"):
        save_checkpoint(tmp_path / "a.safetensors", Tiny(TinyConfig()), Card("other"))
    with pytest.raises(InvalidValueError, match=r"\.safetensors"):
        save_checkpoint(tmp_path / "a.pth", Tiny(TinyConfig()), Card("tiny"))
    assert not list(tmp_path.iterdir())


def test_checkpoints_are_found_by_name_and_by_path(saved: Path) -> None:
    """A folder lists its checkpoints; a path is taken as it is; others are refused."""
    settings = load_settings({"UMNIST_CHECKPOINTS": str(saved.parent)})
    assert find_checkpoints(settings)["tiny"] == saved
    assert get_checkpoint("tiny", settings) == saved
    assert get_checkpoint(str(saved)) == saved
    with pytest.raises(NotFoundError, match="nothing-like-it"):
        get_checkpoint("nothing-like-it", settings)


def test_own_folder_holds_files_and_runs_and_hides_nothing_that_is_shipped(tmp_path: Path) -> None:
    """``NAME.safetensors`` and ``NAME/best.safetensors`` have names; a shipped name wins."""
    settings = load_settings({"UMNIST_DATA": str(tmp_path)})
    shipped = find_checkpoints(settings)
    assert all(path.parent == SHIPPED for path in shipped.values())
    own = tmp_path / "checkpoints"
    (own / "my-run").mkdir(parents=True)
    (own / "empty-run").mkdir()
    for name in ("my-run/best", "mine", next(iter(shipped))):
        (own / f"{name}.safetensors").write_bytes(b"")
    assert find_checkpoints(settings) == {
        **shipped,
        "mine": own / "mine.safetensors",
        "my-run": own / "my-run" / "best.safetensors",
    }


def test_card_of_an_earlier_version_has_nothing_measured(saved: Path) -> None:
    """The one field that may be missing; of another type it is refused as any."""
    fields = json.loads(card_path(saved).read_text())
    del fields["measured"]
    card_path(saved).write_text(json.dumps(fields))
    assert load_card(saved).measured == {}
    card_path(saved).write_text(json.dumps(fields | {"measured": [1]}))
    with pytest.raises(DamagedFileError, match="'measured' is a list"):
        load_card(saved)


def test_card_has_all_that_a_reader_needs() -> None:
    """The fields of a card are those that the file has, so none is lost."""
    assert [one.name for one in dataclasses.fields(Card)] == list(CARD_TYPES)
