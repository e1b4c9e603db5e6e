"""Synthetic people: dressed bodies in, pictures with known geometry out. Training samples and the sample photo."""
