"""Synthetic people of known skill, who take part in studies over the real routes."""
