"""The protocols by name: a predicted mesh and a `Truth` in, `Scores` out. docs/evaluation.md compares them.

All distances are in centimetres. P2S goes from samples of the truth to the prediction, S2P from samples of the
prediction to the truth, each to the nearest place on the triangles; Chamfer is their mean. Normal consistency is the
mean of |n . n'| at these places, both ways. The F-score at d is the harmonic mean of the shares of both ways that are
within d. What a protocol's paper leaves open is decided here and said in its `about`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lookalike.errors import LookalikeError
from lookalike.evaluate.align import place_and_size, similarity_icp
from lookalike.evaluate.sampled import SampledMesh, Similarity, outwards
from lookalike.evaluate.views import NormalViews, normal_errors, normal_views, outline_iou
from lookalike.mesh.triangles import dot

if TYPE_CHECKING:
    from lookalike.people.scan import Scan
    from lookalike.render.view import View

#: Samples come from generators with this seed (the truth's) and the next one (the prediction's).
SEED = 20240607
#: Points in the trees that nearest places are looked up in, however few samples a protocol measures at.
_TREE = 100_000
#: Normal pictures show this much more than the person's height.
_WINDOW = 10 / 9


@dataclass(frozen=True)
class Protocol:
    """How a prediction is judged.

    Attributes
    ----------
    name : on the command line.
    samples : on each surface, for distances, normal consistency and F-scores.
    height : cm that every person is scaled to, or None for the scan's own metres.
    outer : whether places that cannot be seen from afar are left out, on truth and prediction.
    alignment : "similarity ICP" (turn, place and size are taken out) or "place and size" (the turn counts).
    outline : whether the outline through the photo's camera is compared with the photo's own.
    about : one line for tables.
    """

    name: str
    samples: int
    height: float | None
    outer: bool
    alignment: Literal["similarity ICP", "place and size"]
    outline: bool
    about: str


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "ours",
            100_000,
            180.0,
            True,
            "similarity ICP",
            True,
            "every person 180 cm tall; outer surface only; trimmed ICP with rotation, translation and scale",
        ),
        Protocol(
            "icon",
            1000,
            None,
            False,
            "place and size",
            False,
            "after Xiu et al., CVPR 2022, section 4: the scan's own size; 1000 samples; no ICP",
        ),
        Protocol(
            "sith",
            100_000,
            None,
            False,
            "similarity ICP",
            False,
            "after Ho et al., CVPR 2024: the scan's own size; 100,000 samples; ICP with rotation, translation and scale",
        ),
    )
}


@dataclass(frozen=True)
class Scores:
    """How near a prediction is to the truth.

    Attributes
    ----------
    chamfer, p2s, s2p : cm.   nc : 0..1.   f1, f2 : F-scores at 1 and 2 cm, 0..1.
    normal_error : squared difference of normal colours, summed over the channels, mean over all pixels of a view, summed
        over four views.  normal_front, normal_back : its terms of the photo's side and of the far side.
    outline_iou : 0..1, or nan where the protocol does not ask.
    turn : degrees that the alignment turned the prediction by; nan where it does not turn.
    alignment : prediction, in its own unit -> truth, in the camera's frame in cm.
    """

    chamfer: float
    p2s: float
    s2p: float
    nc: float
    f1: float
    f2: float
    normal_error: float
    normal_front: float
    normal_back: float
    outline_iou: float
    turn: float
    alignment: Similarity

    def as_json(self) -> dict[str, Any]:
        """Plain JSON types; what a protocol does not measure is None."""
        numbers = {m: getattr(self, m) for m in (*MEASURES, "turn")}
        move = self.alignment
        return {m: None if np.isnan(v) else float(v) for m, v in numbers.items()} | {
            "alignment": {
                "scale": float(move.scale),
                "rotation": move.rotation.tolist(),
                "translation": move.translation.tolist(),
            }
        }


#: The measures that have a penalty, in the order of the tables.
MEASURES = tuple(f.name for f in fields(Scores) if f.name not in ("turn", "alignment"))

#: What a person without a usable prediction is given where failures are to count: about as bad as a mesh of another
#: person in another pose.
PENALTY = dict(
    zip(MEASURES, (20.0, 20.0, 20.0, 0.5, 0.0, 0.0, 0.5, 0.125, 0.125, 0.0), strict=True),
)


@dataclass(frozen=True)
class Truth:
    """A scan made ready for one protocol, in the frame of its picture's camera, in cm.

    Attributes
    ----------
    mesh : sampled and unmoved.  counted : (s,) bool, which samples count.
    height : cm, along the scan's own y axis.  window : cm that normal pictures show.
    view : of the picture, in the scan's frame, metres.   mask : (h, w) bool of the picture, or None without alpha.
    normals : of the scan from four sides.
    """

    protocol: Protocol
    mesh: SampledMesh
    counted: np.ndarray
    height: float
    window: float
    view: View
    mask: np.ndarray | None
    normals: NormalViews


def prepare_truth(scan: Scan, view: View, alpha: np.ndarray | None, protocol: Protocol) -> Truth:
    """The scan as the protocol looks at it.

    view : the camera of the scan's picture, in the scan's frame.
    alpha : (h, w) float in [0, 1] of the picture, or None for one without.
    """
    vertices = np.asarray(scan.vertices, np.float64)
    tall = np.ptp(vertices[:, 1])
    if not np.isfinite(tall) or tall <= 0:
        raise LookalikeError(f"The scan of {scan.name} is damaged: download or convert it again.")
    unit = 100.0 if protocol.height is None else protocol.height / tall
    # The camera stays at the origin, whatever the unit.
    rotation, position = np.asarray(view.rotation, np.float64), np.asarray(view.position, np.float64)
    try:
        mesh = SampledMesh(unit * (vertices @ rotation.T - rotation @ position), scan.faces, scan.cards)
    except ValueError as error:
        raise LookalikeError(f"The scan of {scan.name} cannot be used ({error}): convert it again.") from error
    mesh.draw(_TREE, np.random.default_rng(SEED), protocol.outer)
    counted = np.arange(len(mesh.samples)) < protocol.samples
    if alpha is not None:
        # Which parts of a hair card are holes is not known; what falls outside the picture's person is one.
        u, v = np.floor(view.camera.project(mesh.samples)).astype(int).T
        high, wide = alpha.shape
        clear = alpha[np.clip(v, 0, high - 1), np.clip(u, 0, wide - 1)] < 0.5
        counted &= ~(mesh.card[mesh.sample_face] & clear)
    height = 100.0 * float(tall) if protocol.height is None else protocol.height
    window = height * _WINDOW
    return Truth(
        protocol=protocol,
        mesh=mesh,
        counted=counted,
        height=height,
        window=window,
        view=view,
        mask=None if alpha is None else alpha > 0.5,
        normals=normal_views(mesh, _centre(mesh), window),
    )


def score_mesh(vertices: np.ndarray, faces: np.ndarray, truth: Truth, metric: bool = False) -> Scores:
    """Judge a prediction.

    vertices : (n, 3) in the picture's camera frame, any unit: Y up, the camera looking along -Z.  faces : (m, 3).
    metric : the prediction is in metres at its true place, as one made from a given body is; a protocol that turns
        nothing then moves nothing at all.

    Raises ValueError for a prediction that cannot be judged.
    """
    protocol = truth.protocol
    vertices, faces = outwards(vertices, faces)
    low, high = vertices.min(0), vertices.max(0)
    unit = truth.height / max(float(high[1] - low[1]), 1e-9)
    start = Similarity(unit, np.eye(3), -unit * (low + high) / 2)
    mesh = SampledMesh(unit * (vertices - (low + high) / 2), faces)
    mesh.draw(_TREE, np.random.default_rng(SEED + 1), protocol.outer)
    if protocol.alignment == "similarity ICP":
        move = similarity_icp(mesh, truth.mesh)
    elif metric:
        scale = 100.0 / unit
        move = Similarity(scale, np.eye(3), 100.0 * (low + high) / 2)
    else:
        move = place_and_size(mesh, truth.mesh)
    mesh = mesh.transformed(move)
    errors = normal_errors(normal_views(mesh, _centre(truth.mesh), truth.window), truth.normals)
    outline = float("nan")
    if protocol.outline and truth.mask is not None:
        outline = outline_iou(mesh, truth.view.camera, truth.mask)
    scores = Scores(
        **_distances(mesh, truth),
        normal_error=float(errors.sum()),
        normal_front=float(errors[0]),
        normal_back=float(errors[2]),
        outline_iou=outline,
        turn=move.turn if protocol.alignment == "similarity ICP" else float("nan"),
        alignment=move.after(start),
    )
    if not all(np.isfinite(getattr(scores, m)) for m in MEASURES if m != "outline_iou"):
        raise ValueError("the scores are not finite")
    return scores


def _distances(mesh: SampledMesh, truth: Truth) -> dict[str, float]:
    """Chamfer, P2S, S2P, normal consistency and F-scores of an aligned prediction."""
    true = truth.mesh
    samples, face, bary = (a[truth.counted] for a in (true.samples, true.sample_face, true.sample_bary))
    ours = slice(truth.protocol.samples)
    to_mesh = mesh.nearest(samples)
    to_truth = true.nearest(mesh.samples[ours])
    agree = np.abs(
        dot(true.normals(face, bary), mesh.normals(to_mesh.face, mesh.barycentric(to_mesh.face, to_mesh.place)))
    )
    agree = agree[~true.card[face]]
    there = true.normals(to_truth.face, true.barycentric(to_truth.face, to_truth.place))
    agree_back = np.abs(dot(mesh.normals(mesh.sample_face[ours], mesh.sample_bary[ours]), there))
    agree_back = agree_back[~true.card[to_truth.face]]
    p2s, s2p = float(to_mesh.distance.mean()), float(to_truth.distance.mean())
    return {
        "chamfer": (p2s + s2p) / 2,
        "p2s": p2s,
        "s2p": s2p,
        "nc": float(agree.mean() + agree_back.mean()) / 2,
        "f1": _f_score(to_mesh.distance, to_truth.distance, 1.0),
        "f2": _f_score(to_mesh.distance, to_truth.distance, 2.0),
    }


def _f_score(to_prediction: np.ndarray, to_truth: np.ndarray, within: float) -> float:
    recall, precision = float((to_prediction < within).mean()), float((to_truth < within).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _centre(mesh: SampledMesh) -> np.ndarray:
    return (mesh.samples.min(0) + mesh.samples.max(0)) / 2
