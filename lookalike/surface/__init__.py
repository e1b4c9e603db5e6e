"""The surface room: a fitted body, a matte and predicted maps to the clothed person's mesh."""

# Imported at once: loaded on first use, the function would be hidden by the module of the same name.
from lookalike.surface.draw_out import draw_out
from lookalike.surface.follow import follow_maps
from lookalike.surface.mesh import Surface

__all__ = ["Surface", "draw_out", "follow_maps"]
