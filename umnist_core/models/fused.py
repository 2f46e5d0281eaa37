"""Networks that only answer, made faster without another result: normalisation folded away."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fuse(model: nn.Module) -> None:
    """Fold each batch normalisation into the convolution before it, and lay weights out for it.

    In place, of a model that learns no more: logits differ from those before by rounding. A
    convolution and a normalisation of as many channels that are made one after the other in
    the same module are taken for one after the other in its pass, as in every network here.

    Parameters
    ----------
    model
        In evaluation mode; what is not, in part or whole, is left as it is.
    """
    for module in model.modules():
        for (name, first), (after, second) in pairwise(list(module.named_children())):
            if (
                isinstance(first, nn.Conv2d)
                and isinstance(second, nn.BatchNorm2d)
                and _may_be_folded(first, second)
            ):
                setattr(module, name, fuse_conv_bn_eval(first, second))
                setattr(module, after, nn.Identity())
    # Convolutions of few channels read four times as fast from pixels that lie together.
    model.to(memory_format=torch.channels_last)


def _may_be_folded(first: nn.Conv2d, second: nn.BatchNorm2d) -> bool:
    is_learning = first.training or second.training
    is_fitting = first.out_channels == second.num_features
    return is_fitting and not is_learning and bool(second.track_running_stats)
