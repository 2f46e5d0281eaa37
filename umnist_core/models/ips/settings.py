"""The settings of IPS, checked.

Bergner, Lippert and Mahendran, ICLR 2023, arXiv 2210.13007. Head diversity, losses of heads and
STKIM are what Riffi-Aslett and Fell (arXiv 2412.11237) tried against overfitting, after Zhang et
al., "Attention-Challenging Multiple Instance Learning", arXiv 2311.07125; all are off by default.
"""

from __future__ import annotations

from dataclasses import dataclass

from umnist_core.errors import InvalidValueError
from umnist_core.models.base import MEGAPIXEL_TASKS, NEEDLE_TASK, SUM_TASK, Task
from umnist_core.models.ips.patches import EDGES, PatchGrid

_KNOWN_TASKS = {task.name: task for task in (SUM_TASK, NEEDLE_TASK, *MEGAPIXEL_TASKS)}

_AT_LEAST_1 = (
    "patch_px",
    "width",
    "memory",
    "iteration",
    "heads",
    "key_width",
    "value_width",
    "inner_width",
)

SIMILAR_OUTPUTS, SIMILAR_WEIGHTS = "outputs", "weights"
SIMILARITIES = (SIMILAR_OUTPUTS, SIMILAR_WEIGHTS)
"""What of two heads is compared: what they give, as the released code of Riffi-Aslett and Fell
does (its logs have means below 0, which weights, never below 0, cannot have); or their weights of
attention, as arXiv 2311.07125 describes it."""


@dataclass(frozen=True)
class IPSConfig:
    """Settings of `IPS`; the defaults are those of Megapixel MNIST.

    Attributes
    ----------
    patch_px, stride_px, edges
        As of `PatchGrid`; they and the image give N.
    channels
        1 for grey, 3 for RGB.
    encoder, blocks, width
        As of `make_encoder`; ``width`` is D, even where there are positions.
    memory, iteration
        M and I: patches that are remembered, and that each round adds.
    heads, key_width, value_width, inner_width
        H, D_k, D_v and D_inner.
    positions
        Whether the place of a patch is added to its embedding.
    tasks
        ``"sum"``, ``"majority"``, ``"max"``, ``"top"``, ``"multi"``, or a new one as
        ``"name:classes"`` or ``"name:classes:multi"``.
    shuffle
        Whether patches are read in random order in training, alike for the whole batch.
    attention_dropout, dropout
        In training, 0 to 1.
    mean, deviation
        Subtracted from pixels of 0 to 1, and what they are then divided by.
    means, deviations
        The same for red, green and blue, in place of the two; empty for those.
    resized_px
        Height and width that an image is resized to, whatever its shape, before it is divided into
        patches; empty to take it as it is.
    jitter, shift_px
        How much colours and place of an image vary in training, as of `vary_picture`; 0 to 0.5, in
        RGB alone, and 0 px or more. 0 for neither.
    frozen_encoder
        Whether the encoder stays as it begins, the statistics of its norms included.
    head_diversity, diversity_of
        What the mean similarity (-1 to 1) of two heads counts for in the loss, 0 or more; and of
        what, one of `SIMILARITIES`.
    head_loss, head_answers
        What the mean loss of the answers that each head gives alone counts for, 0 or more; and
        whether the model has the projection for them all the same, as imported weights do.
    stkim_share, stkim_top
        p and K of stochastic top-K masking: in training, each of the K patches that score highest
        in a round is counted as scoring 0 with probability p. 0 to 1; 0 to M + I.
    fast
        Whether outside training known work is skipped; the outputs are the same.
    mixed
        Whether a GPU encodes in 16 bits; outputs then differ by rounding.
    """

    patch_px: int = 50
    stride_px: int = 50
    edges: str = "pad"
    channels: int = 1
    encoder: str = "resnet18"
    blocks: int = 2
    width: int = 128
    memory: int = 100
    iteration: int = 100
    heads: int = 8
    key_width: int = 16
    value_width: int = 16
    inner_width: int = 512
    positions: bool = True
    tasks: tuple[str, ...] = tuple(task.name for task in MEGAPIXEL_TASKS)
    shuffle: bool = True
    attention_dropout: float = 0.1
    dropout: float = 0.1
    mean: float = 0.0
    deviation: float = 1.0
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    resized_px: tuple[int, ...] = ()
    jitter: float = 0.0
    shift_px: int = 0
    frozen_encoder: bool = False
    head_diversity: float = 0.0
    diversity_of: str = SIMILAR_OUTPUTS
    head_loss: float = 0.0
    head_answers: bool = False
    stkim_share: float = 0.0
    stkim_top: int = 0
    fast: bool = True
    mixed: bool = False

    def __post_init__(self) -> None:
        for name in ("tasks", "means", "deviations", "resized_px"):
            object.__setattr__(self, name, tuple(getattr(self, name)))  # JSON and TOML give lists
        for name in _AT_LEAST_1:
            if getattr(self, name) < 1:
                raise InvalidValueError(f"{name} is 1 or more; got {getattr(self, name)}.")
        if self.channels not in (1, 3):
            raise InvalidValueError(f"channels is 1 or 3; got {self.channels}.")
        if self.edges not in EDGES or not 1 <= self.stride_px <= self.patch_px:
            PatchGrid(self.patch_px, self.patch_px, self.patch_px, self.stride_px, self.edges)
        if self.positions and self.width % 2:
            raise InvalidValueError(f"With positions width is even; got {self.width}.")
        if not self.deviation > 0:
            raise InvalidValueError(f"deviation is more than 0; got {self.deviation}.")
        self._check_input()
        self._check_heads()
        self._check_stkim()
        self.parsed_tasks()

    @property
    def has_head_answers(self) -> bool:
        """Whether the model has the projection by which each head answers alone."""
        return self.head_answers or self.head_loss > 0

    def parsed_tasks(self) -> tuple[Task, ...]:
        """Return the tasks.

        Raises
        ------
        InvalidValueError
            If there is none, one twice, or one that says no number of classes.
        """
        tasks = tuple(_KNOWN_TASKS.get(text) or _parse_task(text) for text in self.tasks)
        if not tasks or len({task.name for task in tasks}) < len(tasks):
            raise InvalidValueError(
                f"Expected one task or more, each once; got {', '.join(self.tasks) or 'none'}."
            )
        return tasks

    def _check_input(self) -> None:
        lengths = len(self.means), len(self.deviations)
        if lengths not in ((0, 0), (3, 3)) or (lengths[0] and self.channels != 3):
            raise InvalidValueError(
                "means and deviations are three each, of channels = 3, or none; got "
                f"{lengths[0]} and {lengths[1]} of {self.channels}; give both or leave both out."
            )
        if not all(one > 0 for one in self.deviations):
            raise InvalidValueError(
                f"deviations are more than 0; got {list(self.deviations)}; correct them."
            )
        size = self.resized_px
        if size and (len(size) != 2 or min(size) < self.patch_px):
            raise InvalidValueError(
                f"resized_px is a height and a width of at least {self.patch_px} px, one patch, or "
                f"empty; got {list(size)}; correct it."
            )

        if not 0 <= self.jitter <= (0.5 if self.channels == 3 else 0) or self.shift_px < 0:
            raise InvalidValueError(
                "jitter is 0 to 0.5, of channels = 3 alone, and shift_px 0 or more; got "
                f"{self.jitter:g} and {self.shift_px} of {self.channels}; use 0 for none."
            )

    def _check_heads(self) -> None:
        if not (self.head_diversity >= 0 and self.head_loss >= 0):  # NaN is neither
            raise InvalidValueError(
                f"head_diversity and head_loss are 0 or more; got {self.head_diversity:g} and "
                f"{self.head_loss:g}; use 0 to leave one out."
            )
        if self.diversity_of not in SIMILARITIES:
            raise InvalidValueError(
                f"diversity_of is one of {', '.join(SIMILARITIES)}; got {self.diversity_of!r:.40}."
            )
        if self.head_diversity and self.heads < 2:
            raise InvalidValueError(
                f"head_diversity compares two heads or more; got heads = {self.heads}; set "
                "head_diversity to 0."
            )

    def _check_stkim(self) -> None:
        most = self.memory + self.iteration
        if not 0 <= self.stkim_share <= 1 or not 0 <= self.stkim_top <= most:
            raise InvalidValueError(
                f"stkim_share is 0 to 1 and stkim_top 0 to {most}, the patches of a round; got "
                f"{self.stkim_share:g} and {self.stkim_top}."
            )
        if (self.stkim_share > 0) != (self.stkim_top > 0):
            raise InvalidValueError(
                "stkim_share and stkim_top go together; got "
                f"{self.stkim_share:g} and {self.stkim_top}; set both, or both to 0."
            )


def _parse_task(text: str) -> Task:
    name, *rest = text.split(":")
    if not name.isidentifier() or not rest or not rest[0].isdigit() or int(rest[0]) < 1:
        raise InvalidValueError(
            f"A task is one of {', '.join(_KNOWN_TASKS)}, or name:classes, or name:classes:multi; "
            f"got {text[:60]!r}."
        )
    if rest[1:] not in ([], ["multi"]):
        raise InvalidValueError(f"After its classes a task says multi or nothing; got {text!r}.")
    return Task(name, int(rest[0]), is_multi=len(rest) == 2)
