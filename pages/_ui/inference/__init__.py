"""What Inference alone uses."""
