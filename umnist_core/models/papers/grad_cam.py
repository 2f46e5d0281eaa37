"""Where a convolutional classifier looked, by Grad-CAM.

Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, arXiv 1610.02391. Captum's LayerGradCam does the work; nothing else
of the project calls captum. Differs from the paper in that a map is kept on the layer's own
grid, each cell with its box in image px, and is not enlarged to a picture.
"""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from umnist_core.attention import AttentionMap
from umnist_core.models.needs import INSTALL
from umnist_core.models.reduced import grid_boxes

KIND = "Grad-CAM"

NEEDS_CAPTUM = f"Grad-CAM needs captum, which this installation lacks; {INSTALL}."


def has_grad_cam() -> bool:
    """Return whether captum is installed; training does without it."""
    return find_spec("captum") is not None


def grad_cam(
    net: nn.Module,
    layer: nn.Module,
    images: Tensor,
    classes: Tensor,
    *,
    sizes: tuple[tuple[int, int], ...],
    task: str,
) -> tuple[AttentionMap, ...]:
    """Return the map of each image for one class.

    Parameters
    ----------
    net
        From images (B, C, S, S) to logits (B, classes).
    layer
        Of the network, with an output (B, channels, rows, cols) over the whole image.
    images
        float32 (B, C, S, S).
    classes
        int64 (B,): which logit of each image is explained.
    sizes
        Height and width of each image in px; S stands for the longer.
    task
        Name of the task that the logits answer.

    Notes
    -----
    Gradients of the parameters stay as they were.
    """
    grids = cam_grids(net, layer, images, classes)
    return tuple(
        _map(grid, height, width, task) for grid, (height, width) in zip(grids, sizes, strict=True)
    )


def cam_grids(
    net: nn.Module, layer: nn.Module, images: Tensor, classes: Tensor
) -> NDArray[np.float32]:
    """Return the map of each image on the layer's own grid, float32 (N, rows, cols), 0 or more.

    Parameters
    ----------
    net, images, classes
        See `grad_cam`.
    layer
        Of the network, with an output (N, channels, rows, cols); N may be a multiple of the
        images where each is seen in several ways.
    """
    from captum.attr import LayerGradCam  # slow to load, and training needs none of it

    with torch.enable_grad():
        # So that there is a gradient even where every parameter is frozen.
        seen = images.detach().clone().requires_grad_()
        cam = LayerGradCam(net, layer).attribute(seen, classes, relu_attributions=True)
    grids: NDArray[np.float32] = cam.detach().squeeze(1).float().cpu().numpy()
    return grids


def cam_shares(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights of places as shares; all 0 where every gradient pushes away from the class."""
    exact = weights.astype(np.float64)
    total = exact.sum()
    return (exact / total if total > 0 else exact).astype(np.float32)


def _map(grid: NDArray[np.float32], height: int, width: int, task: str) -> AttentionMap:
    boxes, is_inside = grid_boxes(grid.shape[0], grid.shape[1], height, width)
    share = cam_shares(grid.ravel()[is_inside])
    return AttentionMap(share[None, None], boxes, height, width, (task,), KIND)
