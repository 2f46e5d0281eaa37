"""Results: what people got right, and why not."""
