"""Hair and beards as geometry: a posed body in, pieces out."""
