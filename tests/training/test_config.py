"""Configurations: strict, and those that come with umnist can be run."""

from __future__ import annotations

from pathlib import Path

import pytest

from umnist_core.errors import InvalidValueError, MissingFileError, NotFoundError
from umnist_core.models.registry import create_model, get_entry
from umnist_core.training.config import TrainConfig, config_from, config_names, load_config
from umnist_core.training.schedule import Plateau, learning_rate_at


@pytest.mark.parametrize("name", config_names())
def test_shipped_configuration_can_be_run(name: str) -> None:
    """Each names a model that exists, with settings that it has."""
    config = load_config(Path(name))
    get_entry(config.model.name).config(**config.model.settings)


def test_configuration_survives_being_written_out() -> None:
    """What a run keeps of its configuration gives the same configuration."""
    config = load_config(Path("mobilenet-v3-resizer-1280"))
    assert config_from(config.to_dict()) == config


def test_changes_replace_settings(tmp_path: Path) -> None:
    """Numbers, words with and without quotes, and settings of the model."""
    path = tmp_path / "run.toml"
    path.write_text('[model]\nname = "resnet50"\n')
    changes = ["run.epochs=3", "schedule.name=plateau", "model.settings.side_px=64"]
    config = load_config(path, [*changes, 'run.device="cpu"', "data.overrides.factor=1..2"])
    assert (config.run.epochs, config.schedule.name, config.run.device) == (3, "plateau", "cpu")
    assert config.model.settings == {"side_px": 64}
    assert config.data.overrides == {"factor": "1..2"}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("run.epoch=3", r"no setting run\.epoch; those of this section are epochs"),
        ("runs.epochs=3", "no setting runs"),
        ("run.epochs=three", r"run\.epochs is of the kind int"),
        ("run.epochs=true", r"run\.epochs is of the kind int"),
        ("run.epochs=0", "1 or more"),
        ("run.batch_size=0", r"no run\.memory_budget"),
        ("run.memory_budget=11TB", "such as 11GB"),
        ("optimizer.name=sgd", "one of adam, adamw, rmsprop"),
        ("schedule.gamma=1.5", "at most 1"),
        ("schedule.name=milestones", r"one epoch or more .* got \[\] for milestones"),
        ("schedule.milestones=[80]", r"got \[80\] for exponential"),
        ("data.validation_share=1", "below 1"),
        ("data.count=1", "2 or more"),
        ("run=3", "reads section.key=value"),
        ("run.epochs", "reads section.key=value"),
        ("model.name.x=3", "name is no section"),
    ],
)
def test_setting_that_is_not_allowed_is_refused(change: str, sentence: str) -> None:
    """A sentence says what is allowed, before anything is trained."""
    with pytest.raises(InvalidValueError, match=sentence):
        load_config(Path("efficientnet-b0-2048"), [change])


def test_file_that_is_not_there_or_no_toml_is_refused(tmp_path: Path) -> None:
    """Each with its own sentence."""
    with pytest.raises(MissingFileError, match="found no file"):
        load_config(tmp_path / "run.toml")
    with pytest.raises(NotFoundError, match="resnet50-256-11gb"):
        load_config(Path("resnet51"))
    (tmp_path / "run.toml").write_text("[model\n")
    with pytest.raises(InvalidValueError, match="is no TOML"):
        load_config(tmp_path / "run.toml")
    with pytest.raises(InvalidValueError, match="lacks a setting"):
        config_from({"model": {}})


def test_unknown_setting_of_a_model_is_refused() -> None:
    """The model's own settings are checked when it is made."""
    with pytest.raises(InvalidValueError, match="has no setting 'side'"):
        create_model("resnet50", {"side": 3})


def _rate(config: TrainConfig, epochs_done: float, plateau: Plateau | None = None) -> float:
    return learning_rate_at(
        config.schedule, 1.0, epochs_done, config.run.epochs, plateau or Plateau()
    )


def _schedule(**values: object) -> TrainConfig:
    return config_from({"model": {"name": "x"}, "schedule": values, "run": {"epochs": 110}})


def test_exponential_schedule_falls_from_epoch_to_epoch() -> None:
    """As ExponentialLR stepped once an epoch."""
    config = _schedule(name="exponential", gamma=0.5)
    assert [_rate(config, done) for done in (0, 0.9, 1, 2.5)] == [1, 1, 0.5, 0.25]


def test_milestones_are_steps_down_that_stay() -> None:
    """As MultiStepLR stepped once an epoch."""
    config = _schedule(name="milestones", milestones=[1, 3], gamma=0.5)
    assert [_rate(config, done) for done in (0, 0.9, 1, 2.5, 3, 99)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    with pytest.raises(InvalidValueError, match=r"ascending order, .* got \[3, 1\]"):
        _schedule(name="milestones", milestones=[3, 1])


def test_warmup_and_cosine_go_by_the_step() -> None:
    """Linear from 0 over 10 epochs, then half a cosine down to a thousandth."""
    config = _schedule(name="warmup-cosine", warmup_epochs=10, floor=0.001)
    assert [_rate(config, done) for done in (0, 2.5, 10)] == [0, 0.25, 1]
    assert _rate(config, 60) == pytest.approx(0.5005)
    assert _rate(config, 110) == pytest.approx(0.001)


def test_plateau_waits_and_then_reduces() -> None:
    """With a patience of 1, the second epoch without a better loss reduces."""
    config = _schedule(name="plateau", gamma=0.1)
    plateau = Plateau()
    rates = []
    for loss in (2.0, 1.0, 1.0, 1.0, 0.5, 0.6):
        plateau = plateau.after_epoch(loss, 1)
        rates.append(_rate(config, 3, plateau))
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1])
