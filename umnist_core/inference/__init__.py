"""Models that look at images on request: in a process for each device, one image at a time."""
