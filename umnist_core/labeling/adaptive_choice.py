"""Which size a person is shown next, and what their answers say of their threshold.

A person's answers, in the order in which their images were reserved, are all that enters. In a
study of two tracks images of odd and of even positions are a staircase each, so the image after the
open one is known before that is answered, and is fetched meanwhile. QUEST+ then chooses from all
answers that are there. Where no image of a size is left for somebody, the nearest size is shown,
the larger of two.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from umnist_core.labeling.adaptive import STAIRCASE, Adaptive
from umnist_core.labeling.events import LABEL
from umnist_core.labeling.state import Annotator, StudyState

if TYPE_CHECKING:
    from umnist_core.scoring.adaptive import Posterior, SizeRange


@dataclass(frozen=True, slots=True)
class Told:
    """An answer: at which position, to which level (0 for the smallest), and whether right."""

    position: int
    level: int
    is_right: bool


def told_by(state: StudyState, person: Annotator, sums: Mapping[str, int]) -> list[Told]:
    """Return the answers of somebody, in the order of their positions."""
    level_of = {name: level for level, names in enumerate(state.levels) for name in names}
    return [
        Told(one.position, level_of[one.stimulus], one.given[-1].answer == sums[one.stimulus])
        for one in sorted(person.assignments, key=lambda one: one.position)
        if one.kind == LABEL and one.given
    ]


def level_asked(adaptive: Adaptive, told: Sequence[Told], position: int) -> int:
    """Return the level that the method asks for.

    Parameters
    ----------
    told
        The person's answers so far.
    position
        That the image will have, 1 for the first.
    """
    # Imported here, as are all scipy's: commands that choose no size begin without it.
    from umnist_core.scoring.adaptive import LevelStaircase, QuestPlus

    if adaptive.method == STAIRCASE:
        stairs = LevelStaircase(len(adaptive.levels_px), adaptive.down)
        for one in told:
            if (one.position - position) % adaptive.tracks == 0:
                stairs.tell(one.level, is_right=one.is_right)
        return stairs.level
    quest = QuestPlus(sizes_of(adaptive), candidates=adaptive.levels_px)
    quest.posterior = posterior_of(adaptive, told)
    return adaptive.levels_px.index(round(quest.next_px()))


def of_level_asked(
    state: StudyState, person: Annotator, options: dict[str, int], sums: Mapping[str, int]
) -> dict[str, int]:
    """Keep the images of the level that is asked for, or of the nearest that has any."""
    adaptive = state.spec.adaptive
    assert adaptive is not None
    asked = level_asked(adaptive, told_by(state, person, sums), len(person.assignments) + 1)
    possible = [level for level, names in enumerate(state.levels) if names & options.keys()]
    level = min(possible, key=lambda one: (abs(one - asked), -one))
    return {name: count for name, count in options.items() if name in state.levels[level]}


def sizes_of(adaptive: Adaptive) -> SizeRange:
    """Return the range of sizes of a study, with its rates of guessing and lapsing."""
    from umnist_core.scoring.adaptive import SizeRange

    low, high = adaptive.levels_px[0], adaptive.levels_px[-1]
    return SizeRange(low, high, adaptive.guess, adaptive.lapse)


def posterior_of(adaptive: Adaptive, told: Sequence[Told]) -> Posterior:
    """Return what answers leave possible of a threshold."""
    from umnist_core.scoring.adaptive import Posterior

    posterior = Posterior(sizes_of(adaptive))
    for (level, is_right), times in Counter((one.level, one.is_right) for one in told).items():
        posterior.tell(adaptive.levels_px[level], is_right=is_right, times=times)
    return posterior
