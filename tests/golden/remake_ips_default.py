"""Remake the golden outputs of a default IPS: ``python -m tests.golden.remake_ips_default``.

They were written before head diversity, losses of heads, STKIM and frozen encoders came to IPS, so
that none of these changes what is trained without them. Remake them only when that is meant.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from umnist_core.models.ips.model import IPS, IPSConfig
from umnist_core.pyramid import ArraySource

GOLDEN_FILE = Path(__file__).parent / "ips_default.json"

TINY = {
    "patch_px": 12,
    "stride_px": 12,
    "encoder": "compact",
    "width": 16,
    "memory": 6,
    "iteration": 5,
    "heads": 2,
    "key_width": 4,
    "value_width": 4,
    "inner_width": 8,
}
STEPS = 4


def learn_and_answer(**settings: object) -> dict[str, list[list[float]]]:
    """Return logits of three images by task, after steps with dropout and shuffling."""
    torch.manual_seed(0)
    model = IPS(IPSConfig(**{**TINY, **settings}))  # type: ignore[arg-type]
    images = np.random.default_rng(0).integers(0, 256, (3, 84, 72), np.uint8)
    images[:, :40] = 0
    batch = model.collate([model.prepare(ArraySource(image, "nearest")) for image in images])
    targets = {task.name: torch.arange(3) for task in model.tasks if not task.is_multi}
    targets["multi"] = (torch.arange(30).view(3, 10) % 3 == 0).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for step in range(STEPS):
        torch.manual_seed(step)
        optimizer.zero_grad()
        model.loss(model.train()(batch), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    with torch.no_grad():
        logits = model.eval()(batch).logits
    return {name: value.tolist() for name, value in logits.items()}


if __name__ == "__main__":
    rounded = {
        name: [[float(f"{one:.6g}") for one in row] for row in rows]
        for name, rows in learn_and_answer().items()
    }
    GOLDEN_FILE.write_text(json.dumps(rounded) + "\n", encoding="utf-8")
    print(f"wrote {GOLDEN_FILE.name}")
