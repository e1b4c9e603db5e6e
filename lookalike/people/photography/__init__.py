"""From pieces to a photo: light, shading, and what cameras and mattes do wrong."""
