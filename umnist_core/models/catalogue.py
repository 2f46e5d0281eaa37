"""The models that there are, in words; nothing here needs torch.

`registry` makes them. A new model gets its entry here and its class in the module named.
"""

from __future__ import annotations

from dataclasses import dataclass

OWN = "umnist"
"""Paper of models that follow none."""

_CNN = "Reads the image reduced to a fixed side, as the UltraMNIST paper's baselines do."
_FROM_LABELS = "labels-only"
_FROM_BOXES = "unconstrained"


@dataclass(frozen=True)
class ModelFacts:
    """What is said of a model.

    Attributes
    ----------
    module
        Of this package, which registers it.
    title
        Its name for people.
    paper
        As of its class: authors, year and identifier; `OWN` where it follows none.
    sees
        As of its class: ``"labels-only"`` or ``"unconstrained"``.
    answers
        What it is asked, in words.
    idea
        How it works, in a sentence.
    """

    module: str
    title: str
    paper: str
    sees: str
    answers: str
    idea: str


def _baseline(module: str, title: str, paper: str, idea: str = _CNN) -> ModelFacts:
    return ModelFacts(module, title, paper, _FROM_LABELS, "the sum", idea)


def _of_digit(module: str, title: str, idea: str) -> ModelFacts:
    return ModelFacts(module, title, _SCALE_CHANNELS, _FROM_LABELS, "the one digit", idea)


def _of_photographs(module: str, title: str, paper: str, idea: str) -> ModelFacts:
    return ModelFacts(module, title, paper, _FROM_LABELS, "the class or year of a photograph", idea)


_SCALE_CHANNELS = "Jansson and Lindeberg 2022, doi 10.1007/s10851-022-01082-2"
_EFFICIENTNET = "Tan and Le 2019, arXiv 1905.11946"

CATALOGUE: dict[str, ModelFacts] = {
    "additive-pyramid": ModelFacts(
        "own.pyramid",
        "Additive pyramid",
        OWN,
        _FROM_LABELS,
        "the sum",
        "Keeps the patches of every level that are most likely digits, reads each, and adds up; "
        "sums alone teach it what a digit is.",
    ),
    "digit-finder": ModelFacts(
        "own.finder",
        "Digit finder",
        OWN,
        _FROM_BOXES,
        "the sum, and each digit with its box",
        "Looks for the staircases of enlarged digits on every level, reads what stands there, and "
        "adds up.",
    ),
    "efficientnet-b0": _baseline("papers.efficientnet", "EfficientNet-B0", _EFFICIENTNET),
    "efficientnet-b3": _baseline("papers.efficientnet", "EfficientNet-B3", _EFFICIENTNET),
    "efficientnet-b7": _baseline("papers.efficientnet", "EfficientNet-B7", _EFFICIENTNET),
    "espcn": ModelFacts(
        "papers.espcn",
        "ESPCN, enlarging by sub-pixel convolutions",
        "Shi et al. 2016, arXiv 1609.05158",
        _FROM_LABELS,
        "the photograph at a higher resolution",
        "Adds to the bicubic enlargement what three small convolutions find missing.",
    ),
    "faster-rcnn": ModelFacts(
        "papers.faster_rcnn",
        "Faster R-CNN",
        "Ren et al. 2015, arXiv 1506.01497",
        _FROM_BOXES,
        "the sum, and each digit with its box",
        "Detects digits in the reduced image; the sum is that of what it found.",
    ),
    "fov-avg": _of_digit(
        "papers.scale_channels",
        "FovAvg, mean over foveated scale channels",
        "Shows one network ever larger parts of the image ever more coarsely, and takes the mean "
        "of what it says.",
    ),
    "fov-max": _of_digit(
        "papers.scale_channels",
        "FovMax, maximum over foveated scale channels",
        "Shows one network ever larger parts of the image ever more coarsely, and takes what it is "
        "surest of.",
    ),
    "ips": ModelFacts(
        "ips.model",
        "IPS, iterative patch selection",
        "Bergner, Lippert, Mahendran 2023, arXiv 2210.13007",
        _FROM_LABELS,
        "the four tasks of Megapixel MNIST, the sum, or whether there is a needle",
        "Looks at all patches in rounds, remembers the few that it attends to most, and answers "
        "from those.",
    ),
    "large-scale-cnn": _of_digit(
        "papers.large_scale_cnn",
        "Plain CNN of MNIST Large Scale",
        "Reads the image at its own resolution alone, for comparison with scale channels.",
    ),
    "mobilenet-v3-resizer": _baseline(
        "papers.mobilenet_resizer",
        "MobileNet-V3 with a learned resizer",
        "Talebi and Milanfar 2021, arXiv 2103.09950",
        "Learns how to reduce the image before a small network reads it.",
    ),
    "needle-cnn": ModelFacts(
        "papers.needle_cnn",
        "CNN of Needle MNIST",
        "Pawlowski et al. 2019, arXiv 1908.06037",
        _FROM_LABELS,
        "whether there is a needle, as in Needle MNIST",
        "Reads the whole image at its own resolution with features that see small places alone, "
        "and pools them.",
    ),
    "plain-cnn": ModelFacts(
        "plain_cnn",
        "Plain CNN of the reduced image",
        OWN,
        _FROM_LABELS,
        "the sum",
        "Reads the image reduced to a fixed side in one pass, says of each place which digit or "
        "nothing it shows, and adds up.",
    ),
    "resnet50": _baseline("papers.resnet", "ResNet-50", "He et al. 2016, arXiv 1512.03385"),
    "sw-max": _of_digit(
        "papers.scale_channels",
        "SWMax, maximum over sliding windows of scale channels",
        "Slides one network over the image at every scale, and takes what it is surest of.",
    ),
    "vgg16": _of_photographs(
        "papers.vgg16",
        "VGG16, the baseline of MetH",
        "Simonyan and Zisserman 2015, arXiv 1409.1556",
        "Reads a square of 224 px of the photograph, resized whatever its shape.",
    ),
    "vgg16-gap": _of_photographs(
        "papers.vgg16_whole",
        "VGG16 with global average pooling",
        "Lin, Chen, Yan 2014, arXiv 1312.4400",
        "Reads the whole photograph in its own shape, and takes the mean of what it finds.",
    ),
    "vgg16-spp": _of_photographs(
        "papers.vgg16_whole",
        "VGG16 with spatial pyramid pooling",
        "He et al. 2014, arXiv 1406.4729",
        "Reads the whole photograph in its own shape, and takes maxima over grids laid on it.",
    ),
}
"""Model name -> its facts, sorted by name."""
