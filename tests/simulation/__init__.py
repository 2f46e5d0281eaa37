"""Simulated people: what they are like, and that a study gives it back."""
