"""Triangle meshes: what several rooms need of them."""
