"""What a GPU needs of the renderer, held without one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode

from tests.segment_glyphs import segment_glyphs
from umnist_core.rendering_torch import ink, parcel, render, render_batch, render_images
from umnist_core.scenes import Scene, plan_scene

GLYPHS = segment_glyphs()

WAYS = (
    ("full", 1, "area"),
    ("digits", 1, "area"),
    ("digits", 3, "area"),
    ("noise_free", 3, "area"),
    ("background", 3, "nearest"),
)
"""Layer, reduction and filter: every branch that there is."""

needs_cuda_build = pytest.mark.skipif(
    torch.version.cuda is None, reason="this PyTorch was built without CUDA"
)


def _scenes() -> list[Scene]:
    """Return scenes of every kind: a JPEG with blocks that digits share, no JPEG, strokes."""
    overrides = {"canvas": "330", "factor": "2..4", "digits": "5..5", "shape_pairs": "3"}
    return [
        *(
            plan_scene("released", seed=2, index=index, glyphs=GLYPHS, overrides=overrides)
            for index in range(3)
        ),
        plan_scene("paper", glyphs=GLYPHS, overrides=overrides),
        plan_scene("megapixel", glyphs=GLYPHS, overrides={"canvas": "330", "noise_size": "41"}),
    ]


def _draw_all(device: str, scenes: Sequence[Scene]) -> list[torch.Tensor]:
    """Draw scenes in every way that there is."""
    drawn = [
        render_batch(
            scenes, GLYPHS, device=device, layer=layer, reduction=reduction, pyramid_filter=name
        )
        for layer, reduction, name in WAYS
    ]
    return [*drawn, render_images(scenes, GLYPHS, device=device, side_px=100)]


@needs_cuda_build
def test_nothing_is_left_on_the_processor() -> None:
    """Under fake tensors two devices in one step raise, although there is no GPU."""
    with FakeTensorMode(shape_env=ShapeEnv()):
        for image in _draw_all("cuda", _scenes()):
            assert (image.device.type, image.dtype) == ("cuda", torch.uint8)


@needs_cuda_build
def test_a_tensor_left_on_the_processor_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check above can fail: one table that stays behind is enough."""
    real = parcel.send

    def forgetful(groups: Any, device: torch.device) -> Any:
        sent = real(groups, device)
        sent["digits"]["threshold"] = sent["digits"]["threshold"].to("cpu")
        return sent

    monkeypatch.setattr(ink, "send", forgetful)
    with (
        FakeTensorMode(shape_env=ShapeEnv()),
        pytest.raises(RuntimeError, match=r"two devices|same device"),
    ):
        render_batch(_scenes(), GLYPHS, device="cuda")


class _Steps(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Writes down the steps that PyTorch takes, and the types of numbers that they take."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.counts: Counter[Any] = Counter()
        self.floats: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Note a step, and take it."""
        result = func(*args, **(kwargs or {}))
        self.counts[func] += 1
        if isinstance(result, torch.Tensor) and result.is_floating_point():
            self.floats.add(str(func))
        return result


def _steps(draw: Callable[[], object]) -> _Steps:
    steps = _Steps()
    with steps:
        draw()
    return steps


@needs_cuda_build
def test_every_step_is_one_that_cuda_has() -> None:
    """PyTorch has a kernel of each, or makes it of others."""
    steps = _steps(lambda: _draw_all("cpu", _scenes()))
    has_kernel = torch._C._dispatch_has_kernel_for_dispatch_key
    missing = [
        str(step)
        for step in steps.counts
        if not any(
            has_kernel(step.name(), key)
            for key in ("CUDA", "CompositeExplicitAutograd", "CompositeImplicitAutograd")
        )
    ]
    assert missing == []


def test_no_pixel_hangs_on_a_fraction() -> None:
    """But for roots, which are put right in whole numbers, no step has floats."""
    steps = _steps(lambda: _draw_all("cpu", _scenes()))
    assert steps.floats == {"aten._to_copy.default", "aten.sqrt.default"}


@pytest.mark.parametrize("arguments", [{}, {"reduction": 3}])
def test_the_device_is_waited_for_once(arguments: dict[str, int]) -> None:
    """In a call, of however many scenes: one value is fetched, and no shape hangs on others."""
    scenes = _scenes()[:3]
    steps = _steps(lambda: render_batch(scenes, GLYPHS, device="cpu", **arguments))  # type: ignore[arg-type]
    counts = {step.name(): count for step, count in steps.counts.items()}
    assert counts["aten::_local_scalar_dense"] == 1
    assert not [name for name in counts if "nonzero" in name or "unique" in name]


def _peak_bytes(draw: Callable[[], torch.Tensor]) -> int:
    """Return the most bytes of tensors that there are at once beside what is drawn."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as run:
        image = draw()
    results = run.profiler.kineto_results
    changes = [one for one in results.events() if one.name() == "[memory]"]
    changes.sort(key=lambda one: one.start_ns())
    most: int = max(accumulate(one.nbytes() for one in changes))
    return most - image.nbytes


@pytest.mark.parametrize(
    ("preset", "reduction"), [("released", 16), ("released", 1), ("megapixel", 1)]
)
def test_memory_grows_with_the_image_alone(preset: str, reduction: int) -> None:
    """Of 16,000 px a side, 244 MiB: all else that is held takes less than a quarter of that."""
    many = {"checkerboard": "64", "zoom": "0.8"} if preset == "released" else {}
    scene = plan_scene(preset, glyphs=GLYPHS, overrides={"canvas": "16000", **many})
    peak = _peak_bytes(lambda: render(scene, GLYPHS, device="cpu", reduction=reduction))
    assert 0 < peak < 60 * 2**20
