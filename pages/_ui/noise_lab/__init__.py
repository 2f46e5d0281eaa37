"""What the Noise lab alone uses."""
