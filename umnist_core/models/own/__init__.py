"""Models of our own, the digit finder and the additive pyramid, and when not to trust them."""
