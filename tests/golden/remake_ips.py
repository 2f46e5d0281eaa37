"""Remake the golden outputs of the original IPS: ``python -m tests.golden.remake_ips CLONE``.

CLONE is a clone of benbergner/ips on GitHub, by the authors of arXiv 2210.13007. Its code is
run as it is, on the weights and images of `tests.golden.ips_cases`.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

from tests.golden.ips_cases import CASES, GOLDEN_FILE, IPSCase, make_images, make_state


def main() -> None:
    """Run every case and write what came out."""
    sys.path.insert(0, str(Path(sys.argv[1]).resolve()))
    net_class = importlib.import_module("architecture.ips_net").IPSNet
    tensors: dict[str, Tensor] = {}
    shapes: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, case in CASES.items():
        patches = _cut(case)
        net = net_class(torch.device("cpu"), _conf(case, patches.shape[1])).eval()
        shapes[name] = {key: tuple(value.shape) for key, value in net.state_dict().items()}
        net.load_state_dict(make_state(shapes[name]))
        for key, value in _run(net, patches).items():
            tensors[f"{name}/{key}"] = value.contiguous()
    save_file(tensors, GOLDEN_FILE, metadata={"shapes": json.dumps(shapes)})
    print(f"wrote {GOLDEN_FILE.name}: {len(tensors)} tensors, {GOLDEN_FILE.stat().st_size} bytes")


def _conf(case: IPSCase, count: int) -> SimpleNamespace:
    tasks = {
        f"task{place}": {
            "id": place,
            "name": name,
            "act_fn": "sigmoid" if name == "multi" else "softmax",
        }
        for place, name in enumerate(case.tasks)
    }
    return SimpleNamespace(
        n_class=case.classes,
        M=case.memory,
        I=case.iteration,
        N=count,
        D=case.embedding,
        H=8,
        D_k=16,
        D_v=16,
        D_inner=512,
        attn_dropout=0.1,
        dropout=0.1,
        n_token=len(tasks),
        use_pos=case.positions,
        tasks=tasks,
        shuffle=False,
        shuffle_style="batch",
        is_image=True,
        enc_type="resnet18",
        pretrained=False,
        n_chan_in=case.channels,
        n_res_blocks=case.blocks,
    )


def _cut(case: IPSCase) -> Tensor:
    """Return the patches of every image, float (B, N, C, side, side), row after row."""
    side, step = case.patch_px, case.stride_px
    images = np.stack(make_images(case)).reshape(case.images, case.height, case.width, -1)
    whole = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255  # (B, C, H, W)
    grid = whole.unfold(2, side, step).unfold(3, side, step)  # (B, C, rows, cols, side, side)
    return grid.permute(0, 2, 3, 1, 4, 5).flatten(1, 2).contiguous()


@torch.no_grad()
def _run(net: Any, patches: Tensor) -> dict[str, Tensor]:
    """Return answers, the weights of attention and the buffer of every round."""
    buffers: list[Tensor] = []
    select = net.score_and_select

    def noting(*arguments: Any) -> Any:
        embeddings, indices = select(*arguments)
        buffers.append(indices)
        return embeddings, indices

    net.score_and_select = noting
    chosen, positions = net.ips(patches)
    answers = {f"answer/{name}": value for name, value in net(chosen, positions).items()}
    embeddings = net.encoder(chosen.flatten(0, 1)).view(*chosen.shape[:2], -1)
    embeddings = embeddings if positions is None else embeddings + positions
    weights = net.transf.crs_attn.get_attn(embeddings)
    rounds = {"rounds": torch.stack(buffers)} if buffers else {}
    return answers | {"attention": weights} | rounds


if __name__ == "__main__":
    main()
