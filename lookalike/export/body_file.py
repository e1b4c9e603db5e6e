"""The fitted body as named arrays (.npz), for other programs that speak SMPL-type parameters."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np

from lookalike.body.model import Body
from lookalike.export.output import write_bytes


def save_body(body: Body, path: Path | str) -> None:
    """Writes the body's parameters and posed geometry; `numpy.load(path)` reads them, no pickles inside.

    Arrays (J joints, V vertices; camera frame, metres):

    - model : the body model's name.
    - betas (B,), pose (J, 3) axis-angle local, translation (3,), scale : what `BodyModel.posed` takes.
    - joint_names (J,) text, parents (J,).
    - camera (5,) : focal, cx, cy, width, height in pixels.
    - vertices (V, 3) and joints (J, 3) posed.  faces (F, 3).
    - landmark_error : see `Body`.

    Raises OutputError.
    """
    camera = body.camera
    arrays = {
        "model": np.array(body.model.name),
        "betas": body.betas.astype(np.float32),
        "pose": body.pose.astype(np.float32),
        "translation": body.translation.astype(np.float32),
        "scale": np.array(body.scale, np.float32),
        "joint_names": np.array(body.model.joint_names),
        "parents": body.model.parents.astype(np.int32),
        "camera": np.array([camera.focal, camera.cx, camera.cy, camera.width, camera.height], np.float64),
        "vertices": body.vertices.astype(np.float32),
        "joints": body.joints.astype(np.float32),
        "faces": body.model.faces.astype(np.int32),
        "landmark_error": np.array(body.landmark_error, np.float32),
    }
    stream = BytesIO()
    np.savez_compressed(stream, **arrays)
    write_bytes(path, [stream.getvalue()])
