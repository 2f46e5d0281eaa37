"""``scripts/gpu-check``: one prepared call for when a GPU is at hand, rehearsed without one.

`figures` says what is measured, `parts` in which order, and `sizes` how large. `runner` is the
process that writes the report; it starts another (`work`) that does the parts, and a new one where
that one ends or does not come to an end. Nothing here needs more than Python, NumPy, OpenCV,
PyTorch and torchvision.
"""
