"""Overlays that ship with the package, one a file, and the scales of their parameters."""
