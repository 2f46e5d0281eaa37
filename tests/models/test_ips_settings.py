"""What IPS may be trained with besides: unlike heads, answers of heads, STKIM, a frozen encoder."""

from __future__ import annotations

import dataclasses
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torchvision import transforms
from torchvision.models import resnet18

from tests.golden.remake_ips_default import GOLDEN_FILE, TINY, learn_and_answer
from umnist_core.errors import DamagedFileError, InvalidValueError, TooLargeError
from umnist_core.models.cards import Card
from umnist_core.models.checkpoints import load_checkpoint, save_checkpoint
from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.models.ips.regularisation import (
    OutputOfHeads,
    draw_masked,
    head_similarity,
    mask_top,
)
from umnist_core.models.ips.resized import read_resized, vary_picture
from umnist_core.models.papers.backbones import load_backbone
from umnist_core.models.registry import create_model
from umnist_core.pyramid import ArraySource, TileSource

SMALL = IPSConfig(**TINY)  # type: ignore[arg-type]

ON: dict[str, dict[str, Any]] = {
    "diversity": {"head_diversity": 0.5},
    "diversity of weights": {"head_diversity": 0.5, "diversity_of": "weights"},
    "losses of heads": {"head_loss": 1.0},
    "stkim": {"stkim_share": 0.9, "stkim_top": 6},
}


def _made(**changes: Any) -> IPS:
    torch.manual_seed(0)
    return IPS(dataclasses.replace(SMALL, **changes))


def _batch(model: IPS, side: int = 84) -> Any:
    images = np.random.default_rng(1).integers(0, 256, (3, side, side), np.uint8)
    return model.collate([model.prepare(ArraySource(image, "nearest")) for image in images])


def _targets() -> dict[str, Tensor]:
    classes = {name: torch.arange(3) for name in ("majority", "max", "top")}
    return classes | {"multi": (torch.arange(30).view(3, 10) % 3 == 0).float()}


def _gradients(model: IPS) -> list[Tensor]:
    torch.manual_seed(2)
    loss = model.loss(model.train()(_batch(model)), _targets())
    loss.backward()  # type: ignore[no-untyped-call]
    names = [name for name, _ in model.named_parameters() if "project_head" not in name]
    return [
        torch.zeros_like(one) if one.grad is None else one.grad
        for one in map(model.get_parameter, names)
    ]


# -- off by default -------------------------------------------------------------------


def test_default_learns_what_it_learned_before_there_were_such_settings() -> None:
    """The golden logits are of the code without them, after steps with dropout and shuffling."""
    golden = json.loads(GOLDEN_FILE.read_text(encoding="utf-8"))
    found = learn_and_answer()
    assert found.keys() == golden.keys()
    for name, rows in golden.items():
        np.testing.assert_allclose(found[name], rows, rtol=2e-3, atol=2e-5)


def test_settings_that_are_off_change_no_bit() -> None:
    """Set to 0 or left out, with or without the projection of heads, all is the same to the bit."""
    off = {"head_diversity": 0.0, "head_loss": 0.0, "stkim_share": 0.0, "stkim_top": 0}
    assert learn_and_answer() == learn_and_answer(**off, frozen_encoder=False)
    assert [name for name, _ in _made().named_parameters() if "head" in name] == []
    plain, kept = _made(), _made(head_answers=True)
    kept.load_state_dict(plain.state_dict(), strict=False)
    for one, other in zip(_gradients(plain), _gradients(kept), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", ON)
def test_setting_that_is_on_changes_training_alone(name: str) -> None:
    """Other gradients from the same weights, and to the last bit the same answers afterwards."""
    plain, changed = _made(), _made(**ON[name])
    changed.load_state_dict(plain.state_dict(), strict=False)
    pairs = zip(_gradients(plain), _gradients(changed), strict=True)
    assert not all(torch.equal(one, other) for one, other in pairs)
    batch = _batch(plain)
    changed.load_state_dict(plain.state_dict(), strict=False)  # norms saw other patches
    one, other = plain.attend(batch), changed.attend(batch)
    assert all(torch.equal(one.logits[task], other.logits[task]) for task in one.logits)
    # Validation compares models by what they answer.
    assert plain.loss(one, _targets()) == changed.loss(other, _targets())


# -- heads ----------------------------------------------------------------------------


def test_similarity_is_the_mean_cosine_of_pairs() -> None:
    """Against every pair worked out alone; 1 for equal heads, 0 for orthogonal, -1 for opposite."""
    heads = torch.randn(3, 4, 2, 5, generator=torch.Generator().manual_seed(0))
    pairs = [
        nn.functional.cosine_similarity(heads[:, one].flatten(1), heads[:, other].flatten(1)).mean()
        for one, other in itertools.combinations(range(4), 2)
    ]
    assert torch.isclose(head_similarity(heads), torch.stack(pairs).mean(), atol=1e-6)
    same = heads[:, :1].expand(-1, 4, -1, -1)
    assert torch.isclose(head_similarity(same), torch.tensor(1.0))
    assert torch.isclose(head_similarity(torch.cat([same[:, :1], -same[:, :1]], 1)), -torch.ones(1))
    assert torch.isclose(head_similarity(torch.eye(4)[None]), torch.zeros(1))


def test_loss_is_made_up_of_what_was_asked_for() -> None:
    """The answers' loss, the similarity by its weight, and the mean of the heads' by theirs."""
    model = _made(head_diversity=0.25, head_loss=2.0, dropout=0.0, attention_dropout=0.0)
    output, targets = model.train()(_batch(model)), _targets()
    assert isinstance(output, OutputOfHeads)
    assert output.similarity is not None
    of_heads = []
    for head in range(SMALL.heads):
        losses = [
            nn.functional.cross_entropy(output.head_logits[name][:, head], targets[name])
            for name in ("majority", "max", "top")
        ]
        multi = output.head_logits["multi"][:, head]
        losses.append(nn.functional.binary_cross_entropy_with_logits(multi, targets["multi"]))
        of_heads.append(torch.stack(losses).mean())
    plain = super(IPS, model).loss(output, targets)
    expected = plain + 0.25 * output.similarity + 2.0 * torch.stack(of_heads).mean()
    assert torch.isclose(model.loss(output, targets), expected, atol=1e-5)


def test_heads_are_projected_by_one_matrix_and_answer_as_the_whole_does() -> None:
    """No residual to the queries, no join; then the same inner layers and answers for all."""
    attention = _made(head_loss=1.0).eval().attention
    heads = torch.randn(2, 2, 4, 4)
    assert attention.project_head is not None
    assert tuple(attention.project_head.weight.shape) == (16, 4)
    projected = heads @ attention.project_head.weight.T
    inner = attention.outer(attention.inner(projected).relu())
    assert torch.equal(attention.embed_heads(heads), attention.outer_norm(inner + projected))
    with pytest.raises(InvalidValueError, match="set head_answers"):
        _made().attention.embed_heads(heads)


def test_training_makes_heads_less_alike() -> None:
    """With the weight of similarity high, steps lower it; without, they do not as much."""
    ends = {}
    for weight in (0.0, 5.0):
        model = _made(head_diversity=weight or 1e-9, dropout=0.0, attention_dropout=0.0)
        optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
        for step in range(12):
            torch.manual_seed(step)
            optimizer.zero_grad()
            output = model.train()(_batch(model))
            model.loss(output, _targets()).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        ends[weight] = float(output.similarity.detach())
    assert ends[5.0] < ends[0.0] - 0.2


# -- STKIM ----------------------------------------------------------------------------


def test_masked_scores_are_of_the_highest_and_0() -> None:
    """The first, second and so on by score, whatever their places; the others are as they were."""
    scores = torch.tensor([[0.1, 0.4, 0.2, 0.3], [0.7, 0.1, 0.15, 0.05]])
    masked = torch.tensor([[True, False, True], [False, True, False]])
    expected = torch.tensor([[0.1, 0.0, 0.0, 0.3], [0.7, 0.1, 0.0, 0.05]])
    assert torch.equal(mask_top(scores, masked), expected)
    assert torch.equal(mask_top(scores, torch.ones(2, 9, dtype=torch.bool)), torch.zeros(2, 4))


def test_masks_are_drawn_with_the_share_and_for_each_round() -> None:
    """A fifth of many, independent from round to round."""
    torch.manual_seed(0)
    drawn = draw_masked(50, 40, 10, 0.2)
    assert drawn.shape == (50, 40, 10)
    assert 0.18 < drawn.float().mean() < 0.22
    assert not torch.equal(drawn[:, 0], drawn[:, 1])
    assert not draw_masked(5, 5, 5, 0.0).any()
    assert draw_masked(5, 5, 5, 1.0).all()


def test_patch_that_is_masked_in_a_round_is_lost() -> None:
    """Of the M + I of every round those M that score highest go, so others are kept at the end."""
    model = _made(stkim_share=1.0, stkim_top=SMALL.memory, shuffle=False)
    batch = _batch(model)
    kept = model.eval().select(batch).indices
    torch.manual_seed(0)
    others = model.train().select(batch).indices
    assert others.shape == kept.shape
    assert not torch.equal(others.sort().values, kept.sort().values)
    assert all(len(set(row.tolist())) == SMALL.memory for row in others)


@pytest.mark.parametrize("fast", [True, False])
def test_stkim_follows_from_the_seed(fast: bool) -> None:
    """The same patches for the same seed, others for another; nothing is drawn in evaluation."""
    model = _made(stkim_share=0.5, stkim_top=5, shuffle=False, fast=fast).train()
    batch = _batch(model)
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append(model.select(batch).indices)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    before = torch.random.get_rng_state()
    model.eval().select(batch)
    assert torch.equal(torch.random.get_rng_state(), before)


# -- a frozen encoder, and published weights ------------------------------------------


@pytest.mark.parametrize("fast", [True, False])
def test_frozen_encoder_stays_to_the_last_bit(fast: bool) -> None:
    """Its weights and the statistics of its norms, while the rest learns."""
    model = _made(frozen_encoder=True, fast=fast)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    learned = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=1e-2)
    for _ in range(2):
        model.loss(model.train()(_batch(model)), _targets()).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    assert not model.encoder.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]) == name.startswith("encoder."), name


def test_frozen_encoder_is_not_asked_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it gave during selection is used again, and is what a second time would give."""
    frozen, plain = _made(frozen_encoder=True), _made(frozen_encoder=True, fast=False)
    outputs = []
    for model in (frozen, plain):
        torch.manual_seed(0)
        outputs.append(model.train()(_batch(model)).logits["max"])
    assert torch.allclose(outputs[0], outputs[1], rtol=0, atol=1e-5)
    seen: list[int] = []
    encode = frozen._encode

    def counting(pixels: Any, *rest: Any) -> Tensor:
        seen.append(len(pixels))
        return encode(pixels, *rest)

    monkeypatch.setattr(frozen, "_encode", counting)
    frozen(_batch(frozen))
    assert sum(seen) <= 3 * 49


def _published(tmp_path: Any) -> Any:
    torch.manual_seed(7)
    path = tmp_path / "resnet18.pth"
    torch.save(resnet18(weights=None).state_dict(), path)
    return path


@pytest.mark.parametrize("blocks", [2, 4])
def test_encoder_takes_published_weights(tmp_path: Any, blocks: int) -> None:
    """From a file as torchvision publishes it; patches are then encoded as ResNet-18 encodes."""
    path = _published(tmp_path)
    model = IPS(IPSConfig(channels=3, blocks=blocks, width={2: 128, 4: 512}[blocks]))
    said = load_backbone(model, str(path))
    assert said.startswith("backbone from resnet18.pth")
    whole = resnet18(weights=None)
    whole.load_state_dict(torch.load(path, weights_only=True))
    parts = nn.Sequential(*list(whole.children())[: 4 + blocks]).eval()
    patches = torch.rand(2, 3, 40, 40)
    expected = parts(patches).mean(dim=(2, 3))
    assert torch.allclose(model.eval().encoder(patches), expected, atol=1e-6)


def test_encoder_without_published_weights_says_so(tmp_path: Any) -> None:
    """Of grey patches and of our own encoder there are none; another net's file is refused."""
    for changes in ({}, {"encoder": "compact", "channels": 3}):
        with pytest.raises(InvalidValueError, match="no published weights"):
            load_backbone(IPS(IPSConfig(**changes)), "imagenet")  # type: ignore[arg-type]
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "other.pth")
    with pytest.raises(DamagedFileError, match="weights of this model's backbone"):
        load_backbone(IPS(IPSConfig(channels=3)), str(tmp_path / "other.pth"))


# -- resized and varied images ----------------------------------------------------------


def _picture(height: int = 96, width: int = 128) -> Any:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def test_image_is_resized_and_normalised_as_torchvision_does() -> None:
    """The patches that the encoder sees are those of the original's steps, to 1e-6."""
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    settings = {"resized_px": (48, 60), "channels": 3, "means": means, "deviations": deviations}
    model = _made(**settings)
    seen: list[Tensor] = []
    model.encoder.register_forward_pre_hook(lambda _module, given: seen.append(given[0]))
    reader = model.prepare(ArraySource(_picture()))
    model._encode(reader.read(np.arange(20)))
    steps = transforms.Compose(
        [
            transforms.Resize((48, 60)),
            transforms.ToTensor(),
            transforms.Normalize(means, deviations),
        ]
    )
    whole = steps(Image.fromarray(_picture()))
    patches = whole.unfold(1, 12, 12).unfold(2, 12, 12).permute(1, 2, 0, 3, 4).flatten(0, 1)
    assert reader.grid.count == 20
    assert torch.allclose(seen[0], patches, atol=1e-6)


def test_attention_of_a_resized_image_is_in_its_own_px() -> None:
    """Boxes of a grid of 48 x 60 lie on the image of 96 x 128 that came."""
    model = _made(resized_px=(48, 60), channels=3).eval()
    (found,) = model.attend(model.collate([model.prepare(ArraySource(_picture()))])).attention or ()
    assert (found.height, found.width) == (96, 128)
    sides = found.boxes[:, 2:] - found.boxes[:, :2]
    assert np.allclose(sides, (24, 25.6))
    assert np.allclose(found.boxes[:, 0] % 24, 0)
    assert found.boxes[:, 3].max() <= 128


def test_images_of_any_shape_are_of_one_size_then() -> None:
    """So that they share a batch, grey ones among them."""
    model = _made(resized_px=(48, 60), channels=3)
    grey = np.zeros((50, 200), np.uint8)
    sources = [ArraySource(_picture()), ArraySource(_picture(200, 50)), ArraySource(grey)]
    batch = model.collate([model.prepare(source) for source in sources])
    assert model.train()(batch).logits["max"].shape == (3, 10)


class _Huge(TileSource):
    """Twenty thousand px each way, grey 7; says which level is read."""

    def __init__(self) -> None:
        self.height = self.width = 20_000
        self.reductions: list[int] = []

    def read_checked(self, level_box: Any, reduction: int) -> Any:
        self.reductions.append(reduction)
        return np.full((level_box.height, level_box.width), 7, np.uint8)


def test_huge_image_is_resized_from_a_level_that_can_be_held() -> None:
    """And refused where that level is too small."""
    source = _Huge()
    assert (read_resized(source, (48, 60)) == 7).all()
    assert source.reductions[0] > 1
    with pytest.raises(TooLargeError, match="too large to be had whole in 19000 x 19000 px"):
        read_resized(source, (19_000, 19_000))


def test_picture_is_moved_by_at_most_what_is_set() -> None:
    """Every move up to it comes, what is beyond is black, and the same seed moves alike."""
    picture = _picture(9, 11) // 2 + 1
    seen = set()
    for seed in range(200):
        moved = vary_picture(picture, np.random.default_rng(seed), jitter=0, shift_px=2)
        down, right = next(
            (down, right)
            for down, right in itertools.product(range(-2, 3), repeat=2)
            if np.array_equal(
                moved,
                np.pad(picture, ((2, 2), (2, 2), (0, 0)))[
                    2 - down : 11 - down, 2 - right : 13 - right
                ],
            )
        )
        seen.add((down, right))
    assert len(seen) == 25
    again = vary_picture(picture, np.random.default_rng(199), jitter=0, shift_px=2)
    assert np.array_equal(moved, again)
    assert not vary_picture(picture, np.random.default_rng(0), jitter=0, shift_px=500).any()


def test_colours_vary_in_training_alone() -> None:
    """By a few greys with a jitter of 0.1, differently for another seed, never in evaluation."""
    model = _made(resized_px=(96, 120), channels=3, jitter=0.1)
    smooth = np.full((96, 120, 3), (200, 120, 40), np.uint8)
    source, places = ArraySource(smooth), np.arange(3)
    plain = model.prepare(source).read(places)
    drawn = [
        model.prepare_to_learn(source, np.random.default_rng(seed)).read(places).astype(int)
        for seed in (1, 1, 2)
    ]
    assert (plain == smooth[0, 0]).all()
    assert np.array_equal(drawn[0], drawn[1])
    assert not np.array_equal(drawn[0], drawn[2])
    assert 0 < np.abs(drawn[0] - plain).max() < 100
    assert np.array_equal(model.prepare_to_learn(source, None).read(places), plain)


def test_model_with_every_setting_is_kept_and_comes_back(tmp_path: Path) -> None:
    """The same settings and answers from the checkpoint, of a photograph of another shape."""
    model = _made(
        **ON["diversity of weights"],
        **ON["losses of heads"],
        **ON["stkim"],
        frozen_encoder=True,
        resized_px=(48, 60),
        channels=3,
        means=(0.4, 0.5, 0.6),
        deviations=(0.2, 0.2, 0.3),
        jitter=0.1,
        shift_px=3,
        tasks=("class:4",),
    ).eval()
    save_checkpoint(tmp_path / "a.safetensors", model, Card("ips"))
    loaded, _ = load_checkpoint(tmp_path / "a.safetensors")
    assert loaded.config == model.config
    assert loaded.sees_colour
    assert not _made().sees_colour
    source = ArraySource(_picture())
    with torch.no_grad():
        answers = [one(one.collate([one.prepare(source)])).logits for one in (model, loaded)]
    assert torch.equal(answers[0]["class"], answers[1]["class"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"head_diversity": -0.1}, "head_diversity and head_loss are 0 or more; got -0.1 and 0"),
        ({"head_loss": float("nan")}, "head_diversity and head_loss are 0 or more; got 0 and nan"),
        ({"head_diversity": 1.0, "heads": 1}, "compares two heads or more; got heads = 1"),
        ({"diversity_of": "values"}, "diversity_of is one of outputs, weights; got 'values'"),
        ({"stkim_share": 1.5, "stkim_top": 3}, "stkim_share is 0 to 1 and stkim_top 0 to 200"),
        ({"stkim_share": 0.5, "stkim_top": 201}, "the patches of a round; got 0.5 and 201"),
        ({"stkim_share": 0.5}, "go together; got 0.5 and 0; set both"),
        ({"stkim_top": 5}, "go together; got 0 and 5; set both"),
        ({"resized_px": [40, 400]}, r"at least 50 px, one patch, or empty; got \[40, 400\]"),
        ({"resized_px": [400]}, r"got \[400\]"),
        ({"means": [0.5] * 3}, "three each, of channels = 3, or none; got 3 and 0 of 1"),
        ({"means": [0.5] * 3, "deviations": [0.5] * 3}, "got 3 and 3 of 1"),
        ({"channels": 3, "means": [0] * 3, "deviations": [1, 0, 1]}, "deviations are more than 0"),
        ({"jitter": 0.1}, "of channels = 3 alone, and shift_px 0 or more; got 0.1 and 0 of 1"),
        ({"shift_px": -1}, "got 0 and -1 of 1"),
    ],
)
def test_wrong_setting_is_refused_in_a_sentence(changes: dict[str, Any], says: str) -> None:
    """What is allowed, what was set, and what to do."""
    with pytest.raises(InvalidValueError, match=says):
        create_model("ips", changes)
