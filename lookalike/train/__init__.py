"""Training: samples in, weights out. `docs/training.md` tells how."""
