"""Fooling a model: other noise over the same digits, until its answer is another one.

The digits of every image that is tried are those of the first: only the seed of the noise, or one
chosen parameter of it, is another. So whatever the answer becomes, the noise made it. Which images
are tried, and in which order, follows from the first one alone: a search finds the same pair on
every machine where the model answers the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from umnist_core.digits import GlyphSet
from umnist_core.errors import InvalidValueError
from umnist_core.scenes import Scene, SceneRef, Span, get_preset, number_text

NOISE_SEED = "noise_seed"

TRIES = 24
"""Images that are tried unless it is said otherwise."""

TRIES_MAX = 1000

LONGEST_S = 60.0
"""A search ends by then, whatever it has found."""

_NOTHING = Span(0, 0)


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """What a model answered to the first task of an image.

    Attributes
    ----------
    answer
        Classes, or a number.
    truth
        The right ones; None where that is not known.
    """

    answer: tuple[int, ...]
    truth: tuple[int, ...] | None = None

    @property
    def is_right(self) -> bool:
        """Whether it is the truth."""
        return self.answer == self.truth


@dataclass(frozen=True, slots=True)
class Variation:
    """What is changed of the noise: its seed, or one parameter from one number to another.

    Attributes
    ----------
    name
        ``"noise_seed"``, or a parameter of the image's planner.
    span
        From where to where; of no meaning for seeds.
    """

    name: str = NOISE_SEED
    span: Span = _NOTHING

    @property
    def title(self) -> str:
        """What was tried, after "tries of"."""
        return "other noise" if self.name == NOISE_SEED else f"{self.name} from {self.span}"


@dataclass(frozen=True, slots=True)
class NoiseSearch:
    """What a search came to.

    Attributes
    ----------
    ref, first
        The image that it began with, and the answer to it.
    variation
        What was changed.
    tried, tries
        How many images were tried, and how many there were to try.
    seconds
        How long it took.
    is_late
        Whether it ended because the time was up.
    found, then
        The image to which the answer is another, and that answer; None where none was found.
    """

    ref: SceneRef
    first: GivenAnswer
    variation: Variation
    tried: int
    tries: int
    seconds: float
    is_late: bool = False
    found: SceneRef | None = None
    then: GivenAnswer | None = None

    @property
    def sentence(self) -> str:
        """What came of it, for people."""
        first, then = words(self.first.answer), self.then
        before = "" if self.first.is_right else self._already()
        count = f"{self.tried} {'try' if self.tried == 1 else 'tries'}"
        if then is not None:
            verb = "Flipped" if self.first.is_right else "The answer changed"
            turned = f"{first} became {words(then.answer)}"
            right = ", which is right" if then.is_right else ""
            return f"{before}{verb} after {count} of {self._found_title()}: {turned}{right}."
        late = f" in {self.seconds:.0f} s" if self.is_late else ""
        did = "flipped" if self.first.is_right else "changed"
        return (
            f"{before}None of {count} of {self.variation.title}{late} {did} it; it stayed {first}."
        )

    def _already(self) -> str:
        truth = self.first.truth
        if truth is None:
            return "Which answer is right is not known. "
        return f"It was wrong already: it said {words(self.first.answer)} for {words(truth)}. "

    def _found_title(self) -> str:
        name = self.variation.name
        if name == NOISE_SEED or self.found is None:
            return self.variation.title
        return f"{self.variation.title}, at {dict(self.found.overrides).get(name, 'its own')}"

    @property
    def query(self) -> dict[str, str] | None:
        """The address of Inference that shows both images; None where none was found."""
        if self.found is None:
            return None
        other = {"preset": self.found.preset, **dict(self.found.overrides)}
        beside = {f"b.{name}": text for name, text in other.items()}
        return {**self.ref.to_query(), **beside, "compare": "wipe", "pair": "1"}


Ask = Callable[[SceneRef, float], GivenAnswer]
"""Asks the model of an image, until a time of `time.monotonic`; raises TimeoutError after it."""

OnTried = Callable[[int, int, GivenAnswer], None]
"""Called with how many were tried, of how many, and the first answer; may raise to stop it."""


def words(answer: Sequence[int]) -> str:
    """Return an answer as it is written."""
    return " ".join(map(str, answer)) or "none"


def parse_variation(text: str) -> Variation:
    """Read a variation such as ``shape_pairs=0..10``, or ``noise_seed``.

    Raises
    ------
    InvalidValueError
        If it is none.
    """
    name, equals, span = text.partition("=")
    low, dots, high = span.partition("..")
    if name == NOISE_SEED and not equals:
        return Variation()
    try:
        numbers = Span(float(low), float(high))
    except ValueError:
        numbers = _NOTHING
    if not dots or not numbers.low < numbers.high < float("inf"):
        raise InvalidValueError(
            f"Expected a parameter of the noise with a range, such as shape_pairs=0..10, or "
            f"noise_seed; got {text!r:.60}."
        )
    return Variation(name, numbers)


def other_images(ref: SceneRef, variation: Variation, tries: int) -> list[SceneRef]:
    """Return the images to try, in their order.

    Seeds are tried from 0 on. Values of a parameter lie evenly in its range; those nearest to the
    image's own come first where that is one number, else the smallest.

    Raises
    ------
    InvalidValueError
        If the images have no such noise, or a value is not allowed.
    """
    parameters = get_preset(ref.preset).with_overrides(dict(ref.overrides))
    if NOISE_SEED not in parameters.table:
        raise InvalidValueError(
            f"Expected an image whose noise can be drawn anew, got one of the preset {ref.preset}, "
            "which has none; choose another preset."
        )
    if variation.name not in parameters.table:
        raise InvalidValueError(
            f"Expected a parameter that images of the preset {ref.preset} have, got "
            f"{variation.name[:40]!r}; they have {', '.join(parameters.table)}."
        )
    own = parameters.to_text().get(variation.name)
    if variation.name == NOISE_SEED:
        number = ref.seed if own is None else int(own)
        texts = [str(seed) for seed in range(tries + 1) if seed != number][:tries]
    else:
        is_whole = parameters.table[variation.name].kind != "number"
        texts = _values(variation.span, own, tries, is_whole=is_whole)
    return [_changed(ref, variation.name, text) for text in texts]


def _values(span: Span, own: str | None, tries: int, *, is_whole: bool) -> list[str]:
    step = (span.high - span.low) / max(1, tries - 1)
    values = [span.low + step * place for place in range(tries)]
    values = [round(value) if is_whole else round(value, 6) for value in values]
    try:
        here = float(own or "")
    except ValueError:  # a range, a word, or nothing
        here = span.low
    values = sorted(dict.fromkeys(values), key=lambda value: (abs(value - here), value))
    return [number_text(value) for value in values if number_text(value) != own]


def _changed(ref: SceneRef, name: str, text: str) -> SceneRef:
    return replace(ref, overrides=tuple({**dict(ref.overrides), name: text}.items()))


def find_flip(
    ref: SceneRef,
    ask: Ask,
    glyphs: GlyphSet,
    *,
    variation: Variation | None = None,
    tries: int = TRIES,
    longest_s: float = LONGEST_S,
    on_tried: OnTried | None = None,
) -> NoiseSearch:
    """Search for noise under which a model's answer is another.

    From a right answer the search is for a wrong one, from a wrong one for any other.

    Parameters
    ----------
    ref
        The image to begin with.
    ask
        Asks the model.
    glyphs
        The digits in use.
    variation
        What is changed; the seed of the noise when None.
    tries
        Most images to try, 1 to `TRIES_MAX`.
    longest_s
        Seconds after the first answer by which the search ends.
    on_tried
        Is told of the first answer, and of each try.

    Raises
    ------
    InvalidValueError
        If the image has no such noise, the digits change with it, or a number is out of range.
    PlacementError
        If the digits cannot be placed.
    """
    chosen, tell = variation or Variation(), on_tried or (lambda _tried, _tries, _first: None)
    if not 1 <= tries <= TRIES_MAX:
        raise InvalidValueError(f"tries is a whole number from 1 to {TRIES_MAX}; got {tries}.")
    images = other_images(ref, chosen, tries)
    _check_images(ref, images, chosen, glyphs)
    first = ask(ref, float("inf"))
    began = time.monotonic()
    search = NoiseSearch(ref, first, chosen, 0, len(images), 0.0)
    tell(0, len(images), first)
    for tried, image in enumerate(images, 1):
        try:
            then = ask(image, began + longest_s)
        except TimeoutError:
            return replace(search, is_late=True, seconds=time.monotonic() - began)
        search = replace(search, tried=tried, seconds=time.monotonic() - began)
        tell(tried, len(images), first)
        if then.answer != first.answer:
            return replace(search, found=image, then=then)
        if search.seconds > longest_s and tried < len(images):
            return replace(search, is_late=True)
    return search


def _check_images(
    ref: SceneRef, images: Sequence[SceneRef], variation: Variation, glyphs: GlyphSet
) -> None:
    """See that the digits stay what they are, and the noise does not."""
    scene = ref.plan(glyphs)
    ends = [one.plan(glyphs) for one in (images[0], images[-1])]
    if any(_digits(one) != _digits(scene) for one in ends):
        raise InvalidValueError(
            f"Expected a parameter that leaves the digits as they are, got {variation.name!r}; "
            "choose one of the noise, such as shape_pairs, noise_count or distractors."
        )
    if all(replace(one, provenance=None) == replace(scene, provenance=None) for one in ends):
        raise InvalidValueError(
            f"Expected an image that {variation.title} changes, found one without such noise; "
            "give it some."
        )


def _digits(scene: Scene) -> tuple[object, ...]:
    return scene.height, scene.width, scene.digits, scene.ink_threshold, scene.digit_jpeg
