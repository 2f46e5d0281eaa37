"""State dicts of the original IPS give the original's selection and outputs, or are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from tests.golden.ips_cases import CASES, GOLDEN_FILE, IPSCase, make_images, make_state
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.models.ips.importing import import_ips
from umnist_core.models.ips.model import IPS
from umnist_core.models.ips.selection import SelectionTrace
from umnist_core.pyramid import ArraySource

CLOSE = 1e-5


def _golden(name: str) -> tuple[dict[str, Tensor], dict[str, tuple[int, ...]]]:
    """Return what came out of the original, and the shapes of its weights."""
    with safe_open(GOLDEN_FILE, "pt") as file:
        shapes = json.loads(file.metadata()["shapes"])[name]
        start = f"{name}/"
        tensors = {
            key.removeprefix(start): file.get_tensor(key)
            for key in file.keys()  # noqa: SIM118 - the file is no mapping
            if key.startswith(start)
        }
    return tensors, {key: tuple(shape) for key, shape in shapes.items()}


def _settings(case: IPSCase) -> dict[str, Any]:
    return {
        "patch_px": case.patch_px,
        "stride_px": case.stride_px,
        "memory": case.memory,
        "iteration": case.iteration,
        "positions": case.positions,
    }


def _save(path: Path, name: str) -> Path:
    torch.save(make_state(_golden(name)[1]), path)
    return path


@pytest.mark.parametrize("fast", [False, True], ids=["plain", "fast"])
@pytest.mark.parametrize("name", list(CASES))
def test_imported_weights_give_what_the_original_gives(
    tmp_path: Path, name: str, fast: bool
) -> None:
    """Answers and attention are those of the original to 1e-5, and every round keeps the same."""
    case, (golden, _) = CASES[name], _golden(name)
    model = import_ips(_save(tmp_path / "a.pth", name), **_settings(case), fast=fast)
    sources = [ArraySource(image, "nearest") for image in make_images(case)]
    batch = model.collate([model.prepare(source) for source in sources])
    with torch.no_grad():
        output = model(batch)
        trace = SelectionTrace()
        model.select(batch, trace)
    for task in model.tasks:
        logits = output.logits[task.name]
        answer = logits.sigmoid() if task.is_multi else logits.softmax(dim=1)
        assert torch.allclose(answer, golden[f"answer/{task.name}"], rtol=0, atol=CLOSE)
    assert len(trace.rounds) == len(golden.get("rounds", ()))
    for one, buffer in zip(trace.rounds, golden.get("rounds", ()), strict=True):
        assert torch.equal(one.indices, buffer)
    weights = torch.stack([torch.from_numpy(one.weights) for one in output.attention or ()])
    assert torch.allclose(weights.transpose(1, 2), golden["attention"], rtol=0, atol=CLOSE)


def test_golden_cases_cover_what_they_are_named_after() -> None:
    """One case ends with a round that is not full, and in one all patches fit."""
    partial, fits = CASES["partial-last-round"], CASES["all-fit"]
    assert (48 - partial.memory) % partial.iteration
    assert "rounds" not in _golden("all-fit")[0]
    assert fits.memory == 12
    assert _golden("partial-last-round")[0]["rounds"].shape == (5, 3, 10)
    assert GOLDEN_FILE.stat().st_size < 1_000_000


def test_import_reads_settings_from_the_weights(tmp_path: Path) -> None:
    """Encoder, widths and tasks follow from the file, wrapped or of several devices or not."""
    state = make_state(_golden("four-stages-rgb")[1])
    wrapped = {"state_dict": {f"module.{name}": value for name, value in state.items()}}
    torch.save(wrapped, tmp_path / "a.pth")
    model = import_ips(tmp_path / "a.pth", positions=False)
    assert isinstance(model, IPS)
    assert (model.config.blocks, model.config.width, model.config.channels) == (4, 512, 3)
    assert [(task.name, task.classes, task.is_multi) for task in model.tasks] == [
        ("sign", 4, False)
    ]
    assert not model.training


def test_file_that_is_no_state_dict_is_refused(tmp_path: Path) -> None:
    """A pickle, a text, a list and the weights of another model are refused in a sentence."""
    path = tmp_path / "a.pth"
    with pytest.raises(MissingFileError, match=r"a\.pth"):
        import_ips(path)
    path.write_text("no weights")
    with pytest.raises(DamagedFileError, match="more than tensors"):
        import_ips(path)
    torch.save([1, 2], path)
    with pytest.raises(DamagedFileError, match="holds no state dict"):
        import_ips(path)
    torch.save({"layer.weight": torch.zeros(2)}, path)
    with pytest.raises(DamagedFileError, match=r"'encoder\.0\.weight' is missing"):
        import_ips(path)
    _save(path, "all-fit")
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(DamagedFileError, match="damaged"):
        import_ips(path)


class _Harm:
    """Would make a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.target,))


def test_pickled_objects_are_never_executed(tmp_path: Path) -> None:
    """A file with more than tensors is refused, and what it would do is not done."""
    torch.save({"encoder.0.weight": _Harm(tmp_path / "executed")}, tmp_path / "a.pth")
    with pytest.raises(DamagedFileError, match="more than tensors"):
        import_ips(tmp_path / "a.pth")
    assert not (tmp_path / "executed").exists()


def test_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Missing, unknown and misshapen weights are named; so are settings that cannot be."""
    shapes = _golden("all-fit")[1]
    path = tmp_path / "a.pth"
    torch.save(make_state({**shapes, "encoder.9.weight": (2,)}), path)
    with pytest.raises(DamagedFileError, match=r"'encoder\.9\.weight' is unknown"):
        import_ips(path)
    torch.save(make_state({**shapes, "transf.mlp.w_2.weight": (128, 3)}), path)
    with pytest.raises(DamagedFileError, match=r"shape \(128, 512\), found \(128, 3\)"):
        import_ips(path)
    _save(path, "all-fit")
    with pytest.raises(InvalidValueError, match="heads that divide 128"):
        import_ips(path, heads=3)
    with pytest.raises(InvalidValueError, match="width follows from the file"):
        import_ips(path, width=64)
