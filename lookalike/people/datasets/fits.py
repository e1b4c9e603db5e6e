"""Published body fits: the parameters in a data set's file in, a `BodyFit` out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lookalike.body.restricted_pickle import read_pickle
from lookalike.errors import LookalikeError
from lookalike.people.scan import BodyFit


def read_parameters(path: Path) -> dict[str, Any]:
    """The dict in a pickle of plain numbers; nothing in the file is run."""
    try:
        data = read_pickle(path)
    except LookalikeError as error:
        # The reader speaks of body models; here the file is a fit.
        reason = str(error).removeprefix(f"The body model {path} ").partition("; use the")[0].rstrip(".")
        raise LookalikeError(f"The body fit {path} {reason}: please download it again from the data set.") from None
    if not isinstance(data, dict):
        raise LookalikeError(f"The body fit {path} holds no parameters: please download it again from the data set.")
    return data


def values(parameters: Mapping[str, Any], key: str, file: Path, count: int | None = None) -> np.ndarray:
    """(count,) float64, any shape that has as many numbers; `count` None for any number of them."""
    try:
        out = np.asarray(parameters[key], np.float64).reshape(-1)
        if (count is None or len(out) == count) and np.isfinite(out).all():
            return out
    except (KeyError, TypeError, ValueError):
        pass
    wanted = "" if count is None else f" of {count} numbers"
    raise LookalikeError(f"The body fit {file} has no '{key}'{wanted}: please download it again from the data set.")


def smplx_fit(
    parameters: Mapping[str, Any],
    file: Path,
    *,
    gender: str,
    translation: np.ndarray,
    turn: bool = True,
    scale: float = 1.0,
    from_mean_hand: bool = True,
    about_pelvis: bool = False,
) -> BodyFit:
    """A fit with SMPL-X's usual keys: betas, global_orient, body_pose, *_hand_pose, jaw_pose, leye_pose, reye_pose.

    gender : of the model; the file's own word goes first.  translation : (3,) as `BodyFit` has it.
    turn : whether global_orient counts; otherwise the body faces +Z.
    Hands of 45 numbers are angles, of fewer numbers components. The other arguments are `BodyFit`'s.
    """
    pose = np.zeros((52, 3))
    if turn:
        pose[0] = values(parameters, "global_orient", file, 3)
    pose[1:22] = values(parameters, "body_pose", file, 63).reshape(21, 3)
    hands, components = None, False
    if "left_hand_pose" in parameters and "right_hand_pose" in parameters:
        hands = np.stack([values(parameters, f"{side}_hand_pose", file) for side in ("left", "right")])
        components = hands.shape[1] < 45
        if not components and not from_mean_hand:
            # Angles from the flat hand need nothing from a model file.
            pose[22:], hands = hands.reshape(30, 3), None
    face = None
    if all(key in parameters for key in ("jaw_pose", "leye_pose", "reye_pose")):
        face = np.stack([values(parameters, key, file, 3) for key in ("jaw_pose", "leye_pose", "reye_pose")])
    said = parameters.get("gender")
    return BodyFit(
        kind="smplx",
        gender=said if isinstance(said, str) and said in ("neutral", "male", "female") else gender,
        betas=values(parameters, "betas", file),
        pose=pose,
        translation=np.asarray(translation, np.float64),
        scale=scale,
        face=face,
        hands=hands,
        hand_components=components,
        from_mean_hand=from_mean_hand,
        about_pelvis=about_pelvis,
    )
