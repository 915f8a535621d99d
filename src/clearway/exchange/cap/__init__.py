"""CAP 1.2 public warnings, in and out."""
