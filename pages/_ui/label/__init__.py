"""What Label alone uses."""
