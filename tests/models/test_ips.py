"""IPS: fast equals plain, memory is bounded, attention is in the frame of the image."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from umnist_core.digits import load_glyphs
from umnist_core.errors import InvalidValueError
from umnist_core.geometry import Box
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.patches import HeldPatches, LazyPatches, PatchGrid, patch_keys
from umnist_core.models.ips.selection import TRACE_MAX, CachedEmbedder, SelectionTrace
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource, SceneSource, TileSource
from umnist_core.scenes import plan_scene

TINY = IPSConfig(
    patch_px=12,
    stride_px=12,
    encoder="compact",
    width=16,
    memory=6,
    iteration=5,
    heads=2,
    key_width=4,
    value_width=4,
    inner_width=8,
)
CLOSE = 1e-5


def _model(seed: int = 0, config: IPSConfig = TINY) -> IPS:
    """Return a model whose norms and attention are far from fresh ones."""
    torch.manual_seed(seed)
    model = IPS(config)
    with torch.no_grad():
        for name, value in model.state_dict().items():
            if name.endswith("running_var"):
                value.uniform_(0.01, 0.5)
            elif name.endswith("running_mean"):
                value.normal_(0, 0.1)
            elif name.endswith("to_key.weight"):
                value.mul_(4)
    return model.eval()


def _other(model: IPS, **changes: Any) -> IPS:
    other = IPS(dataclasses.replace(model.config, **changes))
    other.load_state_dict(model.state_dict())
    return other.eval()


def _image(seed: int, height: int, width: int, boxes: int) -> NDArray[np.uint8]:
    """Return an image of two greys with boxes of noise, some of them alike."""
    rng = np.random.default_rng(seed)
    image = np.zeros((height, width), np.uint8)
    image[:, width // 2 :] = 255 * int(rng.integers(2))
    stamp = rng.integers(0, 256, (12, 12), np.uint8)
    for box in range(boxes):
        row, col = int(rng.integers(height - 12)), int(rng.integers(width - 12))
        if box % 3 == 0:
            row, col = row // 12 * 12, col // 12 * 12
        image[row : row + 12, col : col + 12] = (
            stamp if box % 3 == 0 else rng.integers(0, 256, (12, 12), np.uint8)
        )
    return image


def _batch(model: IPS, images: list[NDArray[np.uint8]]) -> Any:
    return model.collate([model.prepare(ArraySource(image, "nearest")) for image in images])


def _configs() -> st.SearchStrategy[IPSConfig]:
    """Return settings of all kinds, of both encoders."""
    return st.builds(
        lambda encoder, **others: dataclasses.replace(TINY, **encoder, **others),
        encoder=st.sampled_from([{}, {}, {"encoder": "resnet18", "blocks": 1, "width": 64}]),
        stride_px=st.integers(5, 12),
        memory=st.integers(1, 30),
        iteration=st.integers(1, 30),
        positions=st.booleans(),
    )


@settings(max_examples=25, deadline=None)
@given(
    config=_configs(),
    seed=st.integers(0, 2**16),
    size=st.tuples(st.integers(24, 90), st.integers(24, 90)),
    boxes=st.integers(0, 25),
)
def test_fast_path_equals_the_plain_path(
    config: IPSConfig, seed: int, size: tuple[int, int], boxes: int
) -> None:
    """Same patches in memory after every round, and outputs within 1e-5."""
    fast = _model(seed, config)
    plain = _other(fast, fast=False)
    images = [_image(seed + number, *size, boxes) for number in range(2)]
    batch = _batch(fast, images)
    found, wanted = fast.attend(batch), plain.attend(batch)
    for name, logits in wanted.logits.items():
        assert torch.allclose(found.logits[name], logits, rtol=0, atol=CLOSE)
    traces = SelectionTrace(), SelectionTrace()
    fast.select(batch, traces[0])
    plain.select(batch, traces[1])
    for one, two in zip(traces[0].rounds, traces[1].rounds, strict=True):
        for reader, mine, theirs in zip(batch, one.indices, two.indices, strict=True):
            if config.positions:
                assert torch.equal(mine.sort().values, theirs.sort().values)
            else:  # which of two equal patches is kept makes no difference
                pixels = [reader.read(indices.numpy()) for indices in (mine, theirs)]
                assert sorted(patch_keys(pixels[0])) == sorted(patch_keys(pixels[1]))


def test_scores_too_close_to_call_are_decided_as_the_plain_path_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With every image undecided, the selection is the plain one; the encoder is not folded."""
    monkeypatch.setattr("umnist_core.models.ips.selection.TIE", 1.0)
    fast = _model()
    batch = _batch(fast, [_image(seed, 80, 80, 20) for seed in range(3)])
    encoders: list[object] = []
    encode = fast._encode

    def noting(pixels: Any, encoder: Any = None) -> Any:
        encoders.append(encoder)
        return encode(pixels, encoder)

    monkeypatch.setattr(fast, "_encode", noting)
    found, wanted = fast.select(batch), _other(fast, fast=False).select(batch)
    assert bool(found.is_undecided.all())
    assert encoders[0] is not None
    assert encoders[-1] is None
    assert torch.equal(found.indices, wanted.indices)
    assert torch.equal(found.embeddings, wanted.embeddings)


def test_equal_patches_are_encoded_once() -> None:
    """A batch of two equal images of which most is blank costs its distinct patches alone."""
    model = _model()
    image = _image(3, 96, 96, 4)
    batch = _batch(model, [image, image])
    embed = CachedEmbedder(batch, model._encode, 16, torch.device("cpu"))
    embed(np.arange(32))
    embed(np.arange(32, 64))
    distinct = len(set(patch_keys(batch[0].read(np.arange(64)))))
    assert embed.encoded == distinct
    assert distinct < 20


def test_cache_of_embeddings_stays_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the cache is full it is emptied, and the outputs stay the same."""
    monkeypatch.setattr("umnist_core.models.ips.selection.CACHE_MAX", 8)
    fast = _model()
    batch = _batch(fast, [_image(1, 96, 96, 40)])
    with torch.no_grad():
        found, wanted = fast(batch), _other(fast, fast=False)(batch)
    assert torch.allclose(found.logits["max"], wanted.logits["max"], rtol=0, atol=CLOSE)


class _Watched(TileSource):
    """An image without end that notes how much of it is read at once."""

    def __init__(self, height: int, width: int) -> None:
        self.height, self.width = height, width
        self.most_px = 0
        self.read_px = 0

    def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
        """Return black with one bright column in every 997."""
        self.most_px = max(self.most_px, level_box.height * level_box.width)
        self.read_px += level_box.height * level_box.width
        region = np.zeros((level_box.height, level_box.width), np.uint8)
        region[:, -level_box.col0 % 997 :: 997] = 200
        return region


def test_memory_does_not_grow_with_the_image(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of an image of 100,000 px at most I patches are read at once; traces stay short."""
    config = dataclasses.replace(TINY, patch_px=50, stride_px=50, iteration=64)
    model = _model(config=config)
    source = _Watched(500, 100_000)
    batch = model.collate([model.prepare(source)])
    assert isinstance(batch[0], LazyPatches)
    assert source.read_px == 0
    output = model.attend(batch)
    assert source.most_px <= config.iteration * 50 * 50
    assert source.read_px >= 500 * 100_000
    assert len(output.rounds[0]) <= TRACE_MAX + 1
    assert output.attention is not None
    assert output.attention[0].boxes[:, 3].max() <= 100_000


def test_wide_scene_is_read_box_by_box() -> None:
    """A scene of 100,000 px is answered from its boxes, and held patches say the same."""
    glyphs = load_glyphs()
    scene = plan_scene("released", seed=1, index=0, glyphs=glyphs, overrides={"canvas": "100000"})
    source = SceneSource(scene, glyphs)

    class Strip(TileSource):
        """The uppermost rows of the scene."""

        height, width = 120, 100_000

        def read_checked(self, level_box: Box, reduction: int) -> NDArray[np.uint8]:
            """Read the box of the scene."""
            return source.read_checked(level_box, reduction)

    model = _model(config=dataclasses.replace(TINY, patch_px=120, stride_px=120, iteration=100))
    grid = PatchGrid(120, 100_000, 120, 120)
    lazy = LazyPatches(Strip(), grid, 1)
    with torch.no_grad():
        found, wanted = model([lazy]), model([HeldPatches(lazy)])
    assert torch.equal(found.logits["max"], wanted.logits["max"])


def test_attention_is_of_every_task_and_head_in_px_of_the_image() -> None:
    """Weights (tasks, heads, M) sum to 1; boxes are those of the patches, cut at the edge."""
    model = _model()
    output = model.attend(_batch(model, [_image(seed, 80, 95, 20) for seed in (1, 2)]))
    assert output.attention is not None
    for one, rounds in zip(output.attention, output.rounds, strict=True):
        assert one.weights.shape == (4, 2, 6)
        assert one.tasks == ("majority", "max", "top", "multi")
        assert np.allclose(one.weights.sum(axis=2), 1, atol=1e-5)
        assert (one.height, one.width) == (80, 95)
        assert (one.boxes[:, 2] <= 80).all()
        assert (one.boxes[:, 3] <= 95).all()
        assert len(rounds) == 10  # 7 * 8 patches: 6, and ten rounds of 5
        last = {tuple(box) for box in rounds[-1].boxes.tolist()}
        assert last == {tuple(box) for box in one.boxes.tolist()}


def test_blank_patches_are_not_kept_when_content_attracts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With attention drawn to what is bright, the memory holds the bright patches alone."""
    model = _model(config=dataclasses.replace(TINY, positions=False, memory=2, iteration=3))
    image = np.zeros((96, 96), np.uint8)
    image[24:36, 60:72] = image[72:84, 12:24] = 255

    squares = np.stack([np.full((12, 12, 1), value, np.uint8) for value in (0, 255)])
    blank, bright = model._encode(squares).abs().mean(dim=1).tolist()
    sign = 1e3 if bright > blank else -1e3

    def weigh(embeddings: torch.Tensor, _indices: torch.Tensor) -> torch.Tensor:
        return (sign * embeddings.abs().mean(dim=2)).softmax(dim=1)[:, None, None, :]

    monkeypatch.setattr(model, "_weigh", weigh)
    indices = model.select(_batch(model, [image])).indices[0]
    assert sorted(indices.tolist()) == [2 * 8 + 5, 6 * 8 + 1]


def test_training_reaches_the_encoder_and_leaves_modes_as_they_were() -> None:
    """In training the chosen patches are encoded again, with gradients, in training mode."""
    model = _model().train()
    output = model(_batch(model, [_image(seed, 80, 80, 20) for seed in (1, 2, 3)]))
    targets = {
        task.name: torch.zeros(3, 10) if task.is_multi else torch.zeros(3, dtype=torch.int64)
        for task in model.tasks
    }
    before = model.state_dict()["encoder.layers.1.running_mean"].clone()
    torch.autograd.backward(model.loss(output, targets))
    gradient = next(model.encoder.parameters()).grad
    assert gradient is not None
    assert gradient.abs().sum() > 0
    assert model.encoder.training
    assert model.attention.training
    model(_batch(model, [_image(9, 80, 80, 20)]))
    assert not torch.equal(model.state_dict()["encoder.layers.1.running_mean"], before)


def test_selection_in_training_does_not_touch_the_norms() -> None:
    """The rounds run in evaluation mode, so running statistics stay as they are."""
    model = _model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.select(_batch(model, [_image(1, 80, 80, 20)]))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_shuffling_follows_the_seed_and_keeps_places() -> None:
    """In training the order is drawn from torch's generator; a place belongs to its patch."""
    model = _model(config=dataclasses.replace(TINY, dropout=0.0, attention_dropout=0.0)).train()
    batch = _batch(model, [_image(1, 80, 80, 30)])
    kept = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        trace = SelectionTrace()
        model.select(batch, trace)
        kept.append(trace.rounds[0].indices[0].tolist())
    assert kept[0] == kept[1]
    assert kept[0] != kept[2]


@pytest.mark.parametrize("pyramid_filter", ["nearest", "area"])
def test_colour_is_taken_as_the_model_wants_it(pyramid_filter: str) -> None:
    """Grey images are repeated for a colour model; colour is made grey for a grey one."""
    grey = _image(1, 60, 60, 10)
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    for channels in (1, 3):
        model = _model(config=dataclasses.replace(TINY, channels=channels))
        readers = [model.prepare(ArraySource(image, pyramid_filter)) for image in (grey, rgb)]
        every = np.arange(readers[0].grid.count)
        assert readers[0].read(every).shape == (25, 12, 12, channels)
        assert np.array_equal(readers[0].read(every), readers[1].read(every))


def test_patches_are_those_of_the_image_in_any_order() -> None:
    """A reader gives the pixels of each box, padded with 0 where the image ends."""
    image = _image(5, 50, 70, 30)
    grid = PatchGrid(50, 70, 12, 9)
    padded = np.pad(image, ((0, 20), (0, 20)))
    order = np.random.default_rng(0).permutation(grid.count)
    lazy = LazyPatches(ArraySource(image, "nearest"), grid, 1)
    for reader in (lazy, HeldPatches(lazy)):
        for index, patch in zip(order, reader.read(order), strict=True):
            row, col = divmod(int(index), grid.cols)
            wanted = padded[row * 9 : row * 9 + 12, col * 9 : col * 9 + 12]
            assert np.array_equal(patch[:, :, 0], wanted)
    dropped = PatchGrid(50, 70, 12, 9, "drop")
    assert (grid.rows, grid.cols, dropped.rows, dropped.cols) == (6, 8, 5, 7)


def test_sizes_that_do_not_fit_are_refused() -> None:
    """Images of two sizes, patches that do not fit and wrong settings are named."""
    model = _model()
    small, large = (model.prepare(ArraySource(_image(1, side, side, 5))) for side in (40, 60))
    with pytest.raises(InvalidValueError, match="40 x 40, 60 x 60"):
        model.collate([small, large])
    with pytest.raises(InvalidValueError, match="at least 12 x 12"):
        PatchGrid(10, 40, 12, 12, "drop")
    with pytest.raises(InvalidValueError, match=r"embeddings \(images, patches, 16\)"):
        model.attention.weigh(torch.zeros(1, 2, 8))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"memory": 0}, "memory is 1 or more"),
        ({"stride_px": 60}, "stride of 1 to 50"),
        ({"edges": "wrap"}, "edges is one of"),
        ({"width": 64}, "blocks and width"),
        ({"encoder": "vit"}, "encoder is one of"),
        ({"tasks": ["sum", "sum"]}, "each once"),
        ({"tasks": ["colour"]}, "name:classes"),
        ({"channels": 2}, "channels is 1 or 3"),
        ({"heigth": 3}, "no setting 'heigth'"),
    ],
)
def test_wrong_setting_is_refused_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    """Each setting is checked when the model is made."""
    with pytest.raises(InvalidValueError, match=says):
        create_model("ips", changes)
