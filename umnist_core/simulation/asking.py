"""What simulated people do beside images: questions, the gate, breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from umnist_core.simulation.client import Client, Json

_WORDS = "Nothing to add."


async def step_beside(
    client: Client, state: Json, gate: Sequence[str], rng: np.random.Generator
) -> Json:
    """Do what the page asks for in a phase without an image; return the state after it.

    Parameters
    ----------
    gate
        What is chosen of each question on the instructions; the first option where it is empty.
    """
    asked = state["asked"]
    if state["phase"] == "break":
        await asyncio.sleep(asked["rest"]["left_s"])
        return await client.step("rest", {})
    if state["phase"] == "gate":
        first = [one["options"][0] for one in asked["gate"]["questions"]]
        return await client.step("gate", {"chosen": list(gate) or first})
    page = asked["page"]
    answers = {one["name"]: _answer_to(one, rng) for one in page["questions"]}
    return await client.step("questions", {"page": page["id"], "answers": answers})


def device_for(needs: Mapping[str, Any] | None, *, is_touch: bool) -> Json:
    """Return what a browser reports of a person's device, or of another that the study takes.

    Parameters
    ----------
    needs
        ``gate`` of the state: what a device must be; None where any will do.
    is_touch
        Whether the person's own is a phone.
    """
    touch, least_px = (needs["touch"], needs["smallest_side_px"]) if needs else ("allowed", 0)
    by_touch = is_touch if touch == "allowed" else touch == "required"
    side_px = max(least_px, 390 if by_touch else 900)
    return {"screen": [2 * side_px, side_px], "touch": by_touch, "touch_first": by_touch}


def _answer_to(question: Mapping[str, Any], rng: np.random.Generator) -> Any:
    """Return an answer that a question takes, any of them as likely."""
    options = question["options"]
    match question["kind"]:
        case "choice":
            return options[int(rng.integers(len(options)))]
        case "many":
            ticked = [one for one in options if rng.random() < 0.5]
            return ticked or options[:1]
        case "text":
            return _WORDS
        case kind:
            low = question["low"] if question["low"] is not None else 0
            high = question["high"] if question["high"] is not None else low + 60
            whole = kind == "scale" or question["whole"]
            return int(rng.integers(low, high + 1)) if whole else float(rng.uniform(low, high))
