"""State dicts of the original IPS give the original's selection and outputs, or are refused."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.golden.ips_cases import CASES, GOLDEN_FILE, IPSCase, make_images, make_state
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.models.base import class_task
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import save_checkpoint
from umnist_core.models.ips.importing import import_ips, import_notes
from umnist_core.models.ips.model import IPS
from umnist_core.models.ips.saved import read_state_dict
from umnist_core.models.ips.selection import SelectionTrace
from umnist_core.pyramid import ArraySource
from umnist_core.training.config import ModelPart
from umnist_core.training.loop import build_model

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


AS_GIVEN: dict[str, Any] = {"resized_px": (), "means": (), "deviations": ()}
"""Pixels as they are, also where the weights are for colour."""


def _settings(case: IPSCase) -> dict[str, Any]:
    return {
        **AS_GIVEN,
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
        there = {"class": "sign"}.get(task.name, task.name)
        assert torch.allclose(answer, golden[f"answer/{there}"], rtol=0, atol=CLOSE)
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
    """Encoder, widths and tasks follow from the file, and of colour how traffic signs are shown."""
    _save(tmp_path / "a.pth", "four-stages-rgb")
    model = import_ips(tmp_path / "a.pth", positions=False)
    assert isinstance(model, IPS)
    assert (model.config.blocks, model.config.width, model.config.channels) == (4, 512, 3)
    assert model.config.resized_px == (1200, 1600)
    assert model.config.means == (0.485, 0.456, 0.406)
    assert model.tasks == (class_task(4),)
    assert not model.training
    assert [note[:42] for note in import_notes(model)] == [
        "Of weights for colour, images are resized "
    ]
    model = import_ips(tmp_path / "a.pth", positions=False, tasks=["limit:4"])
    assert [task.name for task in model.tasks] == ["limit"]
    with pytest.raises(InvalidValueError, match=r"each of the 1 tasks of the file \(sign\); got 2"):
        import_ips(tmp_path / "a.pth", positions=False, tasks=["limit:4", "other:4"])


WRAPPED: dict[str, Callable[[dict[str, Tensor]], Any]] = {
    "alone": lambda state: state,
    "of several devices": lambda state: _before("module.", state),
    "compiled": lambda state: _before("_orig_mod.module.", state),
    "in a wrapper": lambda state: _before("net.ips.", state),
    "state_dict": lambda state: {"state_dict": state},
    "of a run": lambda state: {
        "epoch": 60,
        "args": {"lr": 0.001, "name": "ips"},
        "model_state": _before("module.", state),
        "optimizer_state": {"state": {0: {"exp_avg": torch.zeros(2)}}, "param_groups": [{"lr": 1}]},
        "best": torch.tensor(0.9),
    },
    "deep": lambda state: {"checkpoint": {"run": {"model_state_dict": state}}},
    "in 16 bits": lambda state: {
        name: value.half() if value.is_floating_point() else value for name, value in state.items()
    },
}


def _before(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {prefix + name: value for name, value in state.items()}


@pytest.mark.parametrize("name", WRAPPED)
def test_weights_are_found_however_they_were_saved(tmp_path: Path, name: str) -> None:
    """Under any names, before any prefix, beside an optimiser and whatever a run keeps."""
    state = make_state(_golden("all-fit")[1])
    torch.save(WRAPPED[name](state), tmp_path / "a.pth")
    found = import_ips(tmp_path / "a.pth").state_dict()
    atol = 1e-2 if name == "in 16 bits" else 0.0
    queries = found["attention.queries"]
    assert queries.dtype == torch.float32
    assert torch.allclose(queries, state["transf.crs_attn.q"], rtol=atol, atol=atol)
    assert len(found) == len(state)


def test_weights_in_safetensors_and_in_the_old_format_are_found(tmp_path: Path) -> None:
    """Both hold the same tensors."""
    state = make_state(_golden("all-fit")[1])
    save_file(state, tmp_path / "a.safetensors")
    torch.save(state, tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    found = [read_state_dict(tmp_path / name) for name in ("a.safetensors", "a.pth")]
    for one in found:
        assert one.keys() == state.keys()
        assert all(torch.equal(one[name], value) for name, value in state.items())


def _with_projection(values: int = 16) -> dict[str, Tensor]:
    state = make_state(_golden("all-fit")[1])
    weight = torch.randn(128, values, generator=torch.Generator().manual_seed(0))
    return state | {"transf.crs_attn.fb.weight": weight}


def test_projection_of_heads_is_kept_and_changes_no_answer(tmp_path: Path) -> None:
    """The files of Riffi-Aslett and Fell have it: a sentence says so, and training uses it."""
    torch.save(_with_projection(), tmp_path / "with.pth")
    _save(tmp_path / "without.pth", "all-fit")
    model, plain = (import_ips(tmp_path / f"{name}.pth") for name in ("with", "without"))
    kept = model.attention.project_head
    assert kept is not None
    assert torch.equal(kept.weight, _with_projection()["transf.crs_attn.fb.weight"])
    assert import_notes(model)[0].startswith("The file has a projection of each head")
    assert import_notes(plain) == ()
    (image, *_) = make_images(CASES["all-fit"])
    source = ArraySource(image, "nearest")
    with torch.no_grad():
        answers = [one(one.collate([one.prepare(source)])).logits["max"] for one in (model, plain)]
    assert torch.equal(*answers)
    save_checkpoint(tmp_path / "ours.safetensors", model, Card("ips"))
    settings = {"head_loss": 1.0}
    part = ModelPart("ips", settings, initial=str(tmp_path / "ours.safetensors"))
    learner, _ = build_model(part, 0)
    assert isinstance(learner, IPS)
    assert learner.attention.project_head is not None
    assert learner.attention.project_head.weight.requires_grad
    assert torch.equal(learner.attention.project_head.weight, kept.weight)


def test_projection_says_how_many_heads_there_are(tmp_path: Path) -> None:
    """Other heads would give other answers without a word, so they are refused."""
    torch.save(_with_projection(), tmp_path / "a.pth")
    with pytest.raises(InvalidValueError, match="of 16 values, which makes 8 heads; got 4"):
        import_ips(tmp_path / "a.pth", heads=4)
    torch.save(_with_projection(32), tmp_path / "a.pth")
    assert import_ips(tmp_path / "a.pth", heads=4).config.value_width == 32


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
    with pytest.raises(DamagedFileError, match=r"among its names, found layer\.weight; save"):
        import_ips(path)
    state = make_state(_golden("all-fit")[1])
    torch.save({"model": state, "ema": state}, path)
    with pytest.raises(DamagedFileError, match=r"weights of 2 models \(model, ema\)"):
        import_ips(path)
    torch.save(_before("module.", state) | {"epoch": torch.tensor(3)}, path)
    with pytest.raises(DamagedFileError, match=r"tensors named module\.…, found 'epoch'"):
        import_ips(path)
    torch.save(state | {"encoder.0.weight": torch.full((64, 1, 7, 7), torch.nan)}, path)
    with pytest.raises(DamagedFileError, match=r"finite weights, found 'encoder\.0\.weight'"):
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


def test_whole_modules_are_refused_by_their_class(tmp_path: Path) -> None:
    """A pickled network, one of several devices and a program: what it is, and what to do."""
    path, net = tmp_path / "a.pth", nn.Linear(2, 2)
    torch.save(nn.Sequential(net), path)
    with pytest.raises(
        DamagedFileError, match=r"an object of torch\.nn\.\S+Sequential, and is not"
    ):
        import_ips(path)
    torch.save({"model": nn.DataParallel(net)}, path)
    with pytest.raises(DamagedFileError, match=r"an object of \S+DataParallel.*save it there with"):
        import_ips(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(net), path)
    with pytest.raises(DamagedFileError, match="a TorchScript program"):
        import_ips(path)


def test_other_networks_of_the_original_are_refused_by_what_they_are(tmp_path: Path) -> None:
    """ResNet-50, and IPS on features of slides."""
    shapes, path = _golden("all-fit")[1], tmp_path / "a.pth"
    torch.save(make_state({**shapes, "encoder.4.0.conv3.weight": (256, 64, 1, 1)}), path)
    with pytest.raises(
        DamagedFileError, match=r"expected ResNet-18 .* found ResNet-50; train that"
    ):
        import_ips(path)
    features = {name: shape for name, shape in shapes.items() if not name.startswith("encoder.")}
    torch.save(make_state({**features, "encoder.1.weight": (512, 1024)}), path)
    with pytest.raises(DamagedFileError, match="on features that another network found"):
        import_ips(path)


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
