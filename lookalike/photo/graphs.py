"""MediaPipe's networks (Bazarevsky et al., BlazePose, 2020), each behind one plain function over square RGB patches.

The wheel of `mediapipe` ships its models and a registry of graph nodes. The graphs here are the smallest ones that
answer our questions (where are people in this patch; the pose, the hand, the face that fills this patch), so that the
caller decides what is looked at, at which size and turned how. Points come back in patch pixels, (0, 0) being the
patch's upper left corner. Graphs are built once a process and are quiet on stderr.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import numpy as np

#: The networks' own input sizes; larger patches gain nothing.
POSE_SIZE, HAND_SIZE, FACE_SIZE, DETECTOR_SIZE = 256, 224, 192, 224

_DETECT = """
input_stream: "IMAGE:image"
output_stream: "DETECTIONS:detections"
node { calculator: "PoseDetectionCpu" input_stream: "IMAGE:image" output_stream: "DETECTIONS:detections" }
"""
_POSE = """
input_stream: "IMAGE:image"
input_stream: "ROI:roi"
output_stream: "LANDMARKS:landmarks"
output_stream: "AUXILIARY_LANDMARKS:auxiliary"
output_stream: "WORLD_LANDMARKS:world"
output_stream: "MASK:mask"
input_side_packet: "MODEL_COMPLEXITY:complexity"
input_side_packet: "ENABLE_SEGMENTATION:segmentation"
node {
  calculator: "PoseLandmarkByRoiCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  input_side_packet: "ENABLE_SEGMENTATION:segmentation"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "AUXILIARY_LANDMARKS:auxiliary"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "SEGMENTATION_MASK:mask_image"
}
node { calculator: "FromImageCalculator" input_stream: "IMAGE:mask_image" output_stream: "IMAGE_CPU:mask" }
"""
_POSE_SCORE = "poselandmarkbyroicpu__tensorstoposelandmarksandsegmentation__pose_presence_score"
_HAND = """
input_stream: "IMAGE:image"
input_stream: "ROI:roi"
output_stream: "LANDMARKS:landmarks"
output_stream: "WORLD_LANDMARKS:world"
output_stream: "HANDEDNESS:handedness"
input_side_packet: "MODEL_COMPLEXITY:complexity"
node {
  calculator: "HandLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "MODEL_COMPLEXITY:complexity"
  output_stream: "LANDMARKS:landmarks"
  output_stream: "WORLD_LANDMARKS:world"
  output_stream: "HANDEDNESS:handedness"
}
"""
_HAND_SCORE = "handlandmarkcpu__hand_presence_score"
_FACE = """
input_stream: "IMAGE:image"
input_stream: "ROI:roi"
output_stream: "LANDMARKS:landmarks"
input_side_packet: "WITH_ATTENTION:attention"
node {
  calculator: "FaceLandmarkCpu"
  input_stream: "IMAGE:image"
  input_stream: "ROI:roi"
  input_side_packet: "WITH_ATTENTION:attention"
  output_stream: "LANDMARKS:landmarks"
}
"""
_FACE_SCORE = "facelandmarkcpu__face_presence_score"

#: A MediaPipe graph takes one picture at a time.
_LOCK = Lock()


@dataclass(frozen=True)
class Detection:
    """A person seen by the pose detector, in patch pixels.

    hips : (2,) middle of the hips. top : (2,) the point on the circle round the whole body that is "up" for the person.
    score : 0..1.
    """

    hips: np.ndarray
    top: np.ndarray
    score: float


@dataclass(frozen=True)
class PoseReading:
    """The pose network's answer.

    landmarks : (33, 3) patch pixels and relative depth (MediaPipe's: smaller is nearer). visibility, presence : (33,).
    world : (33, 3) metres, x right, y down, z away, hips at the origin, in the patch's axes.
    circle : (2, 2) middle of the hips and the person's "up" on the circle round the whole body.
    mask : (N, N) float32, soft person mask. score : 0..1, that a person fills the patch.
    """

    landmarks: np.ndarray
    visibility: np.ndarray
    presence: np.ndarray
    world: np.ndarray
    circle: np.ndarray
    mask: np.ndarray
    score: float


@dataclass(frozen=True)
class HandReading:
    """landmarks : (21, 2) patch pixels. world : (21, 3) as in `PoseReading`. left : 0..1, that it is a left hand."""

    landmarks: np.ndarray
    world: np.ndarray
    left: float
    score: float


@dataclass(frozen=True)
class FaceReading:
    """landmarks : (478, 3) patch pixels and depth in the same unit (MediaPipe's: smaller is nearer). score : 0..1."""

    landmarks: np.ndarray
    score: float


@contextmanager
def _quiet() -> Iterator[None]:
    """Send what C++ libraries write to file descriptor 2 nowhere for a moment."""
    sys.stderr.flush()
    saved = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def _graph(text: str, size: int, extra: tuple[str, ...] = (), **side_inputs: object):
    """Build a graph and run it once on a black patch: the libraries write their greetings by then, unseen."""
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    warnings.filterwarnings("ignore", module="google.protobuf")
    with _LOCK, _quiet():
        from google.protobuf import text_format
        from mediapipe.framework import calculator_pb2
        from mediapipe.python.solution_base import SolutionBase

        config = text_format.Parse(text, calculator_pb2.CalculatorGraphConfig())
        names = [line.split(":")[-1].rstrip('"') for line in text.splitlines() if line.startswith("output_stream")]
        graph = SolutionBase(graph_config=config, side_inputs=side_inputs or None, outputs=[*names, *extra])
        black = np.zeros((size, size, 3), np.uint8)
        graph.process({"image": black, "roi": _whole()} if '"ROI:roi"' in text else {"image": black})
    return graph


@lru_cache(None)
def _whole():
    """The region of interest "all of the patch"."""
    from mediapipe.framework.formats import rect_pb2

    return rect_pb2.NormalizedRect(x_center=0.5, y_center=0.5, width=1.0, height=1.0, rotation=0.0)


@lru_cache(None)
def _detector():
    return _graph(_DETECT, DETECTOR_SIZE)


@lru_cache(None)
def _pose():
    return _graph(_POSE, POSE_SIZE, (_POSE_SCORE,), complexity=1, segmentation=True)


@lru_cache(None)
def _hand():
    return _graph(_HAND, HAND_SIZE, (_HAND_SCORE,), complexity=1)


@lru_cache(None)
def _face():
    return _graph(_FACE, FACE_SIZE, (_FACE_SCORE,), attention=True)


def _run(graph, patch: np.ndarray, with_roi: bool = True):
    if patch.ndim != 3 or patch.shape[0] != patch.shape[1] or patch.shape[2] != 3 or patch.dtype != np.uint8:
        raise ValueError(f"a patch must be a square RGB uint8 image, not {patch.shape} {patch.dtype}")
    patch = np.ascontiguousarray(patch)
    with _LOCK:
        return graph.process({"image": patch, "roi": _whole()} if with_roi else {"image": patch})


def _points(message, size: int) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in message.landmark], np.float32) * size


def detect_people(patch: np.ndarray) -> list[Detection]:
    """People in a patch, (N, N, 3) uint8; ideally N is 224. Best first; those under a fifth of it are missed."""
    size = patch.shape[0]
    found = []
    for message in _run(_detector(), patch, with_roi=False).detections or ():
        key = [(p.x * size, p.y * size) for p in message.location_data.relative_keypoints]
        found.append(Detection(np.array(key[0], np.float32), np.array(key[1], np.float32), float(message.score[0])))
    return found


def read_pose(patch: np.ndarray) -> PoseReading | None:
    """The pose of the person that fills a patch, (N, N, 3) uint8, standing upright in it; None when there is none."""
    size = patch.shape[0]
    answer = _run(_pose(), patch)
    if answer.landmarks is None or answer.mask is None:
        return None
    points = answer.landmarks.landmark
    return PoseReading(
        landmarks=_points(answer.landmarks, size),
        visibility=np.array([p.visibility for p in points], np.float32),
        presence=np.array([p.presence for p in points], np.float32),
        world=_points(answer.world, 1),
        circle=_points(answer.auxiliary, size)[:2, :2],
        mask=np.array(answer.mask, np.float32),
        score=float(getattr(answer, _POSE_SCORE)),
    )


def read_hand(patch: np.ndarray) -> HandReading | None:
    """The hand that fills a patch, (N, N, 3) uint8, fingers up; None when there is none."""
    answer = _run(_hand(), patch)
    if answer.landmarks is None:
        return None
    label = answer.handedness.classification[0]
    # MediaPipe names hands as if the picture were mirrored (a selfie): its "Right" is a left hand in a photo.
    left = label.score if label.label == "Right" else 1 - label.score
    return HandReading(
        _points(answer.landmarks, patch.shape[0])[:, :2], _points(answer.world, 1), left, getattr(answer, _HAND_SCORE)
    )


def read_face(patch: np.ndarray) -> FaceReading | None:
    """The face mesh with irises of the face that fills a patch, (N, N, 3) uint8, upright; None when there is none."""
    answer = _run(_face(), patch)
    if answer.landmarks is None:
        return None
    return FaceReading(_points(answer.landmarks, patch.shape[0]), getattr(answer, _FACE_SCORE))
