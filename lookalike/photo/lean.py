"""MediaPipe without matplotlib, for a process of our own: its drawing helpers import half a second of it, and nothing here
draws. Import this before anything else does."""

from __future__ import annotations

import sys
from types import ModuleType

if "mediapipe" not in sys.modules and "matplotlib" not in sys.modules:
    stand_in = ModuleType("matplotlib")
    stand_in.pyplot = ModuleType("matplotlib.pyplot")  # type: ignore[attr-defined]
    sys.modules.update({"matplotlib": stand_in, "matplotlib.pyplot": stand_in.pyplot})

import mediapipe  # noqa: F401
