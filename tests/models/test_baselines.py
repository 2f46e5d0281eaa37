"""The baselines: a head that is really attached, backbones from files, boxes, Grad-CAM."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision.models import mobilenet_v3_small, resnet50

from tests.models.small import BASELINES, SMALL, small_scene, small_source
from umnist_core.errors import DamagedFileError, InvalidValueError, MissingFileError
from umnist_core.models.papers.backbones import SCRATCH, load_backbone
from umnist_core.models.papers.convnet import ConvNet
from umnist_core.models.papers.faster_rcnn import FasterRcnn
from umnist_core.models.papers.grad_cam import grad_cam
from umnist_core.models.reduced import grid_boxes, normalised, prepare_reduced
from umnist_core.models.registry import create_model
from umnist_core.models.targets import BOXES, CLASSES
from umnist_core.pyramid import ArraySource, reduce_for_model

CONVNETS = [name for name in BASELINES if name != "faster-rcnn"]


@pytest.mark.parametrize("name", CONVNETS)
def test_head_is_28_way_and_attached(name: str) -> None:
    """Two layers with a ReLU between make the logits: no other layer follows or stands in.

    The released code's head hangs on an attribute that its networks never call; its training
    runs on 1000 classes.
    """
    model = create_model(name, SMALL[name])
    assert isinstance(model, ConvNet)
    linear = [part for part in model.modules() if isinstance(part, nn.Linear)]
    hidden, last = linear[-2:]
    assert (hidden.out_features, last.in_features, last.out_features) == (100, 100, 28)
    seen: list[Tensor] = []
    last.register_forward_hook(lambda _part, _inputs, output: seen.append(output))
    batch = model.collate([model.prepare(small_source(small_scene(0)))] * 2)
    with torch.no_grad():
        logits = model.eval()(batch).logits["sum"]
    assert torch.equal(seen[0], logits)
    model.train()
    model.loss(model(batch), {"sum": torch.tensor([3, 4])}).backward()  # type: ignore[no-untyped-call]
    assert last.weight.grad is not None
    assert last.weight.grad.abs().sum() > 0


def test_input_is_reduced_progressively_and_normalised() -> None:
    """As the paper says: area, through 512 px, then from -1 to 1 in three equal channels."""
    pixels = np.random.default_rng(0).integers(0, 256, (1024, 1024), dtype=np.uint8)
    prepared = prepare_reduced(ArraySource(pixels), 64)
    assert np.array_equal(prepared.pixels.numpy(), reduce_for_model(pixels, 64))
    model = create_model("resnet50", {"side_px": 64})
    images = normalised(model.collate([prepared]), 64, torch.device("cpu"))
    assert images.shape == (1, 3, 64, 64)
    expected = (prepared.pixels.float() / 255 - 0.5) / 0.5
    assert all(torch.equal(images[0, channel], expected) for channel in range(3))


def test_image_that_is_not_square_is_padded_and_its_grid_is_cut() -> None:
    """Black below a wide image, and no place of attention where there is no image."""
    prepared = prepare_reduced(ArraySource(np.full((100, 400), 255, np.uint8)), 40)
    assert prepared.pixels[:10].min() == 255
    assert prepared.pixels[10:].max() == 0
    boxes, is_inside = grid_boxes(4, 4, 100, 400)
    assert is_inside.reshape(4, 4).tolist() == [[True] * 4] + [[False] * 4] * 3
    assert boxes.tolist()[1] == [0, 100, 100, 200]


def test_batch_of_another_side_is_refused() -> None:
    """The sentence says what was expected and what was found."""
    model = create_model("resnet50", {"side_px": 64})
    batch = create_model("resnet50", {"side_px": 32}).collate(
        [prepare_reduced(small_source(small_scene(0)), 32)]
    )
    with pytest.raises(InvalidValueError, match=r"\(B, 64, 64\), got .* \(1, 32, 32\)"):
        model(batch)


def test_backbone_comes_from_a_file_and_the_head_stays_fresh(tmp_path: Path) -> None:
    """Every weight but those of the head, from safetensors or a plain state dict."""
    published = resnet50(weights=None).state_dict()
    save_file(published, tmp_path / "r.safetensors")
    torch.save(published, tmp_path / "r.pth")
    for name in ("r.safetensors", "r.pth"):
        model = create_model("resnet50", SMALL["resnet50"])
        head = model.get_parameter("net.fc.0.weight").clone()
        said = load_backbone(model, str(tmp_path / name))
        assert said.startswith(f"backbone from {name} (sha256 ")
        assert torch.equal(model.get_parameter("net.conv1.weight"), published["conv1.weight"])
        assert torch.equal(model.get_parameter("net.fc.0.weight"), head)


def test_backbone_of_the_resizer_model_is_its_mobilenet(tmp_path: Path) -> None:
    """Published weights go past the resizer."""
    published = mobilenet_v3_small(weights=None).state_dict()
    save_file(published, tmp_path / "m.safetensors")
    model = create_model("mobilenet-v3-resizer", SMALL["mobilenet-v3-resizer"])
    load_backbone(model, str(tmp_path / "m.safetensors"))
    key = "features.0.0.weight"
    assert torch.equal(model.get_parameter(f"net.1.{key}"), published[key])


class _Trap:
    """Runs code when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (pytest.fail, ("it was unpickled",))


def test_file_of_no_backbone_is_refused(tmp_path: Path) -> None:
    """Not there, of another network, garbled, or a pickle with code in it, which never runs."""
    model = create_model("resnet50", SMALL["resnet50"])
    with pytest.raises(MissingFileError, match="found no file"):
        load_backbone(model, str(tmp_path / "none.pth"))
    save_file(mobilenet_v3_small(weights=None).state_dict(), tmp_path / "m.safetensors")
    with pytest.raises(DamagedFileError, match="same backbone"):
        load_backbone(model, str(tmp_path / "m.safetensors"))
    (tmp_path / "cut.safetensors").write_bytes(b"garbage")
    torch.save({"conv1.weight": _Trap()}, tmp_path / "trap.pth")
    for name in ("cut.safetensors", "trap.pth"):
        with pytest.raises(DamagedFileError, match="fetch the file again"):
            load_backbone(model, str(tmp_path / name))


def test_training_from_scratch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without weights to load, and where a network does not give them."""
    model = create_model("resnet50", SMALL["resnet50"])
    assert load_backbone(model, "none") == SCRATCH

    def offline(*_: object, **__: object) -> object:
        raise OSError("no network")

    monkeypatch.setattr("torchvision.models._api.load_state_dict_from_url", offline)
    said = load_backbone(model, "imagenet")
    assert said.startswith(SCRATCH)
    assert "no network" in said


class _Corner(nn.Module):
    """Class 1 is the brightness of the lower left quarter, class 0 the rest's."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.AvgPool2d(8)

    def forward(self, images: Tensor) -> Tensor:
        cells: Tensor = self.layer(images[:, :1])  # (B, 1, 2, 2)
        corner = cells[:, 0, 1, 0]
        return torch.stack([cells.sum((1, 2, 3)) - corner, corner], dim=1)  # (B, 2)


def test_grad_cam_points_at_what_a_class_is_made_of() -> None:
    """Of one bright cell, all weight is there, with its box in image px; no gradient is left."""
    images = torch.zeros(1, 3, 16, 16)
    images[:, :, 8:, :8] = 1.0
    net = _Corner()
    (found,) = grad_cam(net, net.layer, images, torch.tensor([1]), sizes=((400, 400),), task="sum")
    place = int(found.place_weights().argmax())
    assert found.boxes[place].tolist() == [200, 0, 400, 200]
    assert found.place_weights()[place] == pytest.approx(1)


def _detector() -> FasterRcnn:
    torch.manual_seed(0)
    model = create_model("faster-rcnn", SMALL["faster-rcnn"])
    assert isinstance(model, FasterRcnn)
    return model


def test_detector_learns_boxes_in_its_own_px_with_x_first() -> None:
    """Image px are scaled to the input's, rows and columns change places, class 0 is the ground."""
    boxes = torch.tensor([[16.0, 32.0, 64.0, 128.0], [0, 0, 0, 0]])
    truth = _detector()._truth(boxes, torch.tensor([7, -1]), scale=0.125)
    assert truth["boxes"].tolist() == [[4, 2, 16, 8]]
    assert truth["labels"].tolist() == [8]


def test_detector_adds_up_what_it_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Digits come back in image px, row before column, and their sum is the answer."""
    model = _detector().eval()
    raw = {
        "boxes": torch.tensor([[4.0, 2.0, 16.0, 8.0], [1.0, 1.0, 2.0, 2.0]]),
        "labels": torch.tensor([8, 10]),
        "scores": torch.tensor([0.9, 0.6]),
    }
    monkeypatch.setattr(model.net.roi_heads, "forward", lambda *_: ([raw], {}))
    batch = model.collate([model.prepare(small_source(small_scene(0)))])
    with torch.no_grad():
        output = model(batch)
    assert output.logits["sum"].argmax().item() == 7 + 9
    first = output.found[0][0]
    assert (first.label, first.row, first.col) == (7, 16, 32)
    assert (first.height_px, first.width_px) == (48, 96)
    assert output.attention[0].place_weights().tolist() == pytest.approx([0.6, 0.4])


def test_detector_has_the_same_loss_twice_in_validation() -> None:
    """Its random choice of candidates is fixed there, and training's generator is untouched."""
    model = _detector().eval()
    scene = small_scene(0)
    batch = model.collate([model.prepare(small_source(scene))])
    digit = scene.digits[0]
    box = [digit.row, digit.col, digit.row + digit.side_px, digit.col + digit.side_px]
    targets = {
        "sum": torch.tensor([1]),
        BOXES: torch.tensor([[box]], dtype=torch.float32),
        CLASSES: torch.tensor([[digit.label]]),
    }
    before = torch.get_rng_state()
    with torch.no_grad():
        first, second = (model.loss(model(batch), targets) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(part.training for part in model.modules())
    with pytest.raises(InvalidValueError, match="boxes of digits"):
        model.loss(model(batch), {"sum": torch.tensor([1])})
