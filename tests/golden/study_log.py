"""A study in which everything happens that can happen, played on a log in memory.

``studies_1.jsonl`` is what was logged when it was first played; it is never made again, since
labs have such logs. ``python -m tests.golden.study_log`` prints what is logged now.
"""

from __future__ import annotations

import json
import random
import secrets
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.labeling.making import TOLD, Clock, post
from umnist_core.labeling import StudyService, StudySpec, decisions, freeze
from umnist_core.labeling.events import PersonErased
from umnist_core.labeling.log import Draft, EventLog, canonical_json
from umnist_core.labeling.memory import MemoryLog
from umnist_core.labeling.study_key import StudyKey

GOLDEN = Path(__file__).with_name("studies_1.jsonl")

STUDY = "s0123456789ab"
FOLDER_STUDY = "s0123456789ac"

_GLYPHS: Any = SimpleNamespace(name="digits of a test", checksum="ab" * 32, is_stand_in=True)


def played(folder: Path) -> EventLog:
    """Return a log with two studies, the same at every call.

    Parameters
    ----------
    folder
        For the server's files.
    """
    with pytest.MonkeyPatch.context() as patch:
        dice = random.Random(7)
        patch.setattr(secrets, "token_hex", lambda count: dice.randbytes(count).hex())
        patch.setattr(secrets, "choice", lambda options: options[0])
        patch.setattr(StudyKey, "order_seed", lambda _, annotator: 7)
        for module in (decisions, freeze):
            patch.setattr(module, "__version__", "0.1")
        patch.setattr(freeze, "RENDERER_VERSION", 1)
        patch.setattr(freeze, "read_manifest", lambda _: object())
        patch.setattr(PersonErased, "draft", _erased_without_pool)  # it named none then
        clock = Clock()
        service = StudyService(MemoryLog(), folder, secret=b"s" * 32, now=clock)
        _log_study(service, FOLDER_STUDY, folder="of/images")
        _log_study(service, STUDY)
        _play(service, clock)
    return service.log


def _erased_without_pool(fact: PersonErased) -> Draft:
    return Draft(fact.event_kind, {"annotator": fact.annotator})


def lines_of(log: EventLog) -> list[str]:
    """Return everything that a log holds of studies but their truth, a line for each event."""
    return [
        canonical_json({**asdict(event), "attachment": log.read_attachment(event.study, event.seq)})
        for study in log.studies()
        for event in log.read(study)
    ]


def _log_study(service: StudyService, study: str, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "name": "Everything happens",
        "stimuli": 5,
        "images_per_annotator": 3,
        "practice": 1,
        "repeats": 1,
        "allow_change": True,
        "ask_confidence": True,
        "ask_digits": True,
        "lease_minutes": 60,
        **TOLD,
        **_texts(),
    }
    spec = StudySpec(**{**settings, **changes})
    digits = [{"label": 7, "glyph": 1, "row": 3, "col": 4, "side_px": 28}]
    truth = {"label": 7, "digits": digits, "figures": {}, "source": None}
    frozen = [
        freeze.Frozen(f"x{number}", ".png", 512, 640, f"{number}" * 64, truth)
        for number in range(spec.stimuli + spec.practice)
    ]
    key = StudyKey(b"k" * 32)
    freeze._log_study(service, study, spec, key, frozen=frozen, glyphs=_GLYPHS)


def _texts() -> dict[str, Any]:
    """Return what people are told to start from, as it was then."""
    first = json.loads(GOLDEN.read_text().splitlines()[0])
    spec = first["payload"]["spec"]
    return {name: spec[name] for name in ("consent", "instructions")}


def _come_in(service: StudyService, token: str | None) -> str:
    assert token is not None
    person = service.join(token).annotator
    service.consent(STUDY, person, "key-consent")
    service.begin(STUDY, person, "key-begin")
    service.practise(STUDY, person, "key-practice", "x5", 7)
    return person


def _answer(service: StudyService, person: str, count: int) -> str:
    """Answer some images; return the last."""
    last = ""
    for _ in range(count):
        trial = service.annotator_view(STUDY, person).trial
        if trial is None:
            break
        last = trial.key
        service.answer(STUDY, person, post(last, 7, f"key-{last}", confidence=50, digits=[3, 4]))
    return last


def _play(service: StudyService, clock: Clock) -> None:
    tokens = [one.token for one in service.invite(STUDY, 3, "guided", days=9)]
    first = _come_in(service, tokens[0])
    last = _answer(service, first, 1)
    service.answer(STUDY, first, post(last, 8, "key-changed"))
    clock.pass_(minutes=40)
    service.annotator_view(STUDY, first)  # renews what is open
    clock.pass_(hours=9)
    _answer(service, _come_in(service, tokens[1]), 9)
    service.annotator_view(STUDY, first)  # lets go of what others have filled
    clock.pass_(hours=9)
    _answer(service, _come_in(service, tokens[2]), 9)
    service.annotator_view(STUDY, first)  # no place is left
    service.pause(STUDY)
    service.resume(STUDY)
    stranger = _come_in(service, service.open_link(STUDY).token)
    _answer(service, stranger, 1)
    service.withdraw(STUDY, stranger, "key-withdraw")
    try_out = service.invite(STUDY, pool="unguided", origin="own")[0]
    _answer(service, _come_in(service, try_out.token), 2)
    service.revoke(STUDY, try_out.invite)
    erased = _come_in(service, service.invite(STUDY, pool="unguided")[0].token)
    _answer(service, erased, 1)
    service.erase(STUDY, erased)
    service.close(STUDY)


def main() -> None:
    """Print what is logged."""
    with tempfile.TemporaryDirectory() as folder:
        sys.stdout.write("".join(f"{line}\n" for line in lines_of(played(Path(folder)))))


if __name__ == "__main__":
    main()
