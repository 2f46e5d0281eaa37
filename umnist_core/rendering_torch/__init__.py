"""From scenes to pixels on any device that PyTorch has: what `umnist_core.rendering` draws."""

from umnist_core.rendering_torch.jpeg import code_blocks
from umnist_core.rendering_torch.render import render, render_batch, render_images

__all__ = ["code_blocks", "render", "render_batch", "render_images"]
