"""Models of published papers, which read the image reduced to a fixed side."""
