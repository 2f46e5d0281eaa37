"""Models that find digits in very large images: one paper a file, registered by name.

Torch is needed here and above, and nowhere below.
"""
