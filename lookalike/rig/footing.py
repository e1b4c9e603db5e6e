"""How a foot rolls over the ground without sliding: heel, sole, ball, toes.

The sole is the mesh's own: bare, in shoes, on heels. It is pitched about the ankle, and the toes about their joint; the
lowest vertex touches the ground. Where a rigid shape rolls on the ground, the point that touches stands still, so a
pitch by d moves the ankle forward by d times its height over the ground. Integrated over the pitch this gives the
ankle's way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Pitches between which rolling is tabulated, radians; positive lifts the heel.
_HEEL = np.radians(np.linspace(-45, 0, 91))
_TOES = np.radians(np.linspace(0, 80, 161))


@dataclass(frozen=True)
class Foot:
    """One foot, standing flat at rest; metres, world axes.

    ankle, toe : (3,) the joints at rest.
    points : (k, 3) vertices of the sole at rest, relative to the ankle.  toe_share : (k,) how much they follow the
    toes.
    """

    ankle: np.ndarray
    toe: np.ndarray
    points: np.ndarray
    toe_share: np.ndarray

    @property
    def ball(self) -> np.ndarray:
        """(3,) from the ankle to the toes' joint."""
        return self.toe - self.ankle

    def lowest(self, pitch: np.ndarray, toe_pitch: np.ndarray) -> np.ndarray:
        """(T,) how far the sole's lowest vertex is below the ankle, as a negative height.

        pitch, toe_pitch : (T,) radians of the foot and of the toes against the ground; positive lifts the heel.
        """
        y, z = self.points[:, 1], self.points[:, 2]
        ball_y, ball_z = self.ball[1:]
        c, s, ct, st = (f(a)[:, None] for a in (pitch, toe_pitch) for f in (np.cos, np.sin))
        of_foot = c * y - s * z
        of_toes = c * ball_y - s * ball_z + ct * (y - ball_y) - st * (z - ball_z)
        return (of_foot + self.toe_share * (of_toes - of_foot)).min(1)

    def advance(self, pitch: np.ndarray, toe_pitch: np.ndarray) -> np.ndarray:
        """(T,) how far the ankle is ahead of where it is when the foot stands flat, when it rolls without sliding."""
        heel_height = -self.lowest(_HEEL, _HEEL)
        heel = _integral(_HEEL, heel_height)
        toes = self.toe_share > 0.5
        if not toes.any():
            toes = self.points[:, 2] >= np.quantile(self.points[:, 2], 0.9)
        y, z = (self.points[toes] - self.ball)[:, 1:].T
        toe_height = -(np.cos(_TOES)[:, None] * y - np.sin(_TOES)[:, None] * z).min(1)
        toe = _integral(_TOES, toe_height)
        over_heel = np.interp(pitch, _HEEL, heel - heel[-1])
        over_toes = np.interp(toe_pitch, _TOES, toe)
        up = np.maximum(pitch, 0)
        over_ball = self.ball[2] - (np.sin(up) * self.ball[1] + np.cos(up) * self.ball[2])
        return np.where(pitch < 0, over_heel, over_toes + over_ball)


def _integral(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Running integral of y over x by trapezoids, 0 at the start."""
    return np.concatenate([[0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)])
