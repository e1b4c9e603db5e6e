"""What refinement makes of fitted bodies, on synthetic people who are held out from training.

    python benchmarks/refine.py PEOPLE [-n 40] [--weights FILE] [--size 512] [--assets DIR] [--poses FILE|DIR]
    python benchmarks/refine.py PEOPLE --truth 0.03      # a network that knows the truth, but for smooth errors
    python benchmarks/refine.py PEOPLE --ablate          # terms left out
    python benchmarks/refine.py PEOPLE --posture         # the posture corrected first, with a row of its own
    python benchmarks/refine.py PEOPLE --facing          # before that, who faces away is turned round

PEOPLE is a folder in which the people and their fits are kept; it is filled first (5 s a person). Each picture is found
and fitted as a photo would be, then refined. Columns, means over people:

- vertices, hands, feet, head: distance in mm, pelvis on pelvis, both seen straight ahead, of one size; all vertices but
  those of eyes and mouth, by the area that they stand for.  metric: the same without turning and sizing.
- turn: degrees between the pelvises; then its 50, 80 and 95 %.
- across, depth: of 21 joints in cm, across the picture and along the view.
- picture, marks, outline: pixels of the photo: of the vertices from their true places, of the landmarks from
  the found ones (median), of the vertices from the matte. The true body has some of the latter two: landmarks err.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter
from scipy.spatial.transform import Rotation

from lookalike.body import load_body
from lookalike.body.fit import Weights
from lookalike.body.model import Body, BodyModel
from lookalike.errors import NoPersonError
from lookalike.maps import Maps, render_maps
from lookalike.maps.facing import WEIGHTS as FACING
from lookalike.maps.facing import FacingNetwork, load_facing, turned_round
from lookalike.maps.inputs import CropUnit
from lookalike.maps.motion import crop_places, motion_of, shown_points
from lookalike.maps.network import MapsNetwork, PredictedMaps, infer, load_weights
from lookalike.maps.posture import WEIGHTS as POSTURE
from lookalike.maps.posture import PostureNetwork, load_posture, straight_ahead
from lookalike.maps.predict import WEIGHTS, crop_camera, crop_picture
from lookalike.maps.refine import RefineWeights, refine_body
from lookalike.people.poses import read_poses
from lookalike.people.synthesis import Recipe, SyntheticPeople
from lookalike.photo.subject import POSE_LANDMARKS
from lookalike.render.raycast import RayCaster
from lookalike.train.data import true_unit
from lookalike.train.fitted import Fitted, fit_sample, read_fitted, write_fitted

COLUMNS = "vertices metric hands feet head turn across depth picture marks outline".split()
ABLATIONS = {
    "all terms": RefineWeights(),
    "motion only": RefineWeights(
        Weights(landmarks=0, spatial=0, hands=0, face=0, outline=0, upright=0), normals=0, inside=0
    ),
    "without motion": RefineWeights(aside=0, depth=0),
    "without normals": RefineWeights(normals=0),
    "without inside": RefineWeights(inside=0),
}


def make_people(folder: Path, options: argparse.Namespace) -> None:
    """Those of the first n who are not there yet. Who is not found in the picture gets no fit."""
    missing = [
        n for n in range(options.n) if not any((folder / f"{n:04d}.{end}").is_file() for end in ("npz", "failed"))
    ]
    if not missing:
        return
    poses = read_poses(options.poses) if options.poses else None
    people = SyntheticPeople(options.seed, Recipe(assets=options.assets, poses=poses, held=True))
    folder.mkdir(parents=True, exist_ok=True)
    for number in missing:
        try:
            write_fitted(fit_sample(people[number], people.model), folder / f"{number:04d}")
        except NoPersonError as error:
            (folder / f"{number:04d}.failed").write_text(str(error))


def by_network(net: MapsNetwork, person: Fitted, size: int) -> Callable[[Body], PredictedMaps]:
    crop = crop_camera(person.body.camera, person.subject.box, size)
    picture = crop_picture(person.subject, person.body.camera, crop)
    faces = person.body.model.faces[person.body.model.outer_faces]
    return lambda body: infer(net, picture, render_maps(body.vertices, faces, crop, body.normals))


def by_truth(person: Fitted, noise: float, seed: int) -> Callable[[Body], PredictedMaps]:
    """What a network would say that knows the truth but for smooth errors of the motions: they stay from round to round.

    noise : units of the crop in depth, half of it in the picture.
    """
    sample = person.sample
    # the fit's camera, and of its photo the sample's part
    camera = person.body.camera.window(*person.offset, sample.camera.width, sample.camera.height, 1.0)
    assert sample.body is not None
    faces = person.body.model.faces[person.body.model.outer_faces]
    unit = true_unit(sample)
    places = crop_places(sample.body.vertices, sample.camera, unit)
    # depths along the line of sight that the fitted body has: a picture does not tell where in a photo it was
    seen = (straight_ahead(person.body).inv() * straight_ahead(sample.body)).apply(sample.body.vertices)
    places[:, 2] = unit.from_metres(-seen[:, 2])
    error = gaussian_filter(np.random.default_rng(seed).normal(size=(6, 128, 128)), (0, 8, 8))
    error *= noise / error.std() * np.array([0.5, 0.5, 1] * 2)[:, None, None]

    def predict(body: Body) -> PredictedMaps:
        caster = RayCaster(body.vertices, faces, threads=1)
        own = CropUnit.of(render_maps(body.vertices, faces, camera, body.normals, caster=caster))
        motion = motion_of(crop_places(body.vertices, camera, own), places, faces, shown_points(caster, camera))
        true = sample.maps
        near, far = (own.to_metres(unit.from_metres(d)) for d in (true.depth_front, true.depth_back))
        maps = Maps(camera, true.normals_front, true.normals_back, near, far, true.mask)
        sure = np.full((*true.mask.shape, 2), 0.8, np.float32)
        spread = np.full((4, 128, 128), max(noise, 0.01), np.float32)
        motion = (motion + error).astype(np.float32)
        return PredictedMaps(maps, sample.labels_front, sample.colour_back, sure, motion, spread)

    return predict


def areas(model: BodyModel) -> np.ndarray:
    """(V,) share of the body's surface that a vertex stands for; none of eyes and mouth."""
    corners = model.template[model.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    out = np.bincount(model.faces.reshape(-1), np.repeat(area, 3), len(model.template))
    out[np.isin(model.parts, [model.part_names.index(n) for n in ("eyes", "mouth")])] = 0
    return out / out.sum()


def errors(body: Body, person: Fitted) -> dict[str, float]:
    """One number a column."""
    truth, model = person.sample.body, body.model
    assert truth is not None and model.parts is not None
    turns = [straight_ahead(b) for b in (body, truth)]
    vertices, true = (t.apply(b.vertices - b.joints[0]) for t, b in zip(turns, (body, truth), strict=True))
    joints, true_joints = (t.apply(b.joints - b.joints[0])[1:22] for t, b in zip(turns, (body, truth), strict=True))
    size = np.linalg.norm(true_joints, axis=1).mean() / np.linalg.norm(joints, axis=1).mean()
    off = 1000 * np.linalg.norm(vertices * size - true, axis=1)
    weight, joint_off = areas(model), 100 * (joints * size - true_joints)
    metric = 1000 * np.linalg.norm(body.vertices - body.joints[0] - truth.vertices + truth.joints[0], axis=1)
    roots = [t * Rotation.from_rotvec(b.pose[0]) for t, b in zip(turns, (body, truth), strict=True)]
    part = lambda word: np.array([word in n for n in model.part_names])[model.parts] * weight  # noqa: E731
    pixels = body.camera.project(body.vertices)
    true_pixels = person.camera.project(truth.vertices)
    u, v = np.floor(pixels).astype(int).T
    height, width = person.subject.matte.shape
    framed = (u >= 0) & (u < width) & (v >= 0) & (v < height) & (weight > 0)
    outside = distance_transform_edt(person.subject.matte < 0.5)[v[framed], u[framed]]
    marks = body.camera.project(model.landmark_points(body.vertices, list(POSE_LANDMARKS)))
    seen = person.subject.visibility > 0.5
    return dict(
        vertices=float(weight @ off),
        metric=float(weight @ metric),
        **{f"{n}{s}": float(part(n) @ off / part(n).sum()) for n, s in (("hand", "s"), ("head", ""))},
        feet=float(part("foot") @ off / part("foot").sum()),
        turn=float(np.degrees((roots[0] * roots[1].inv()).magnitude())),
        across=float(np.linalg.norm(joint_off[:, :2], axis=1).mean()),
        depth=float(np.abs(joint_off[:, 2]).mean()),
        picture=float(weight @ np.linalg.norm(pixels - true_pixels, axis=1)),
        marks=float(np.median(np.linalg.norm(marks - person.subject.landmarks, axis=1)[seen])),
        outline=float(outside.mean()),
    )


def view_of(person: Fitted) -> str:
    truth = person.sample.body
    assert truth is not None
    ahead = (straight_ahead(truth) * Rotation.from_rotvec(truth.pose[0])).apply([0, 0, 1.0])
    angle = np.degrees(np.arctan2(abs(ahead[0]), ahead[2]))
    return "front" if angle < 45 else "side" if angle < 135 else "back"


def report(
    people: list[Fitted],
    predictor: Callable[[int, Fitted], Callable[[Body], PredictedMaps]],
    rounds: int,
    weights: RefineWeights,
    posture: PostureNetwork | None = None,
    facing: FacingNetwork | None = None,
) -> None:
    """Refine everybody and print a line a round, means over people."""
    table: list[list[dict[str, float]]] = []
    rejected, solved, seconds, asked = 0, 0, 0.0, 0.0
    for number, person in enumerate(people):
        bodies: list[Body] = []
        predict = predictor(number, person)

        def watched(body: Body, predict=predict, bodies=bodies) -> PredictedMaps:
            nonlocal asked
            bodies.append(body)
            start = time.process_time()
            found = predict(body)
            asked += time.process_time() - start
            return found

        start = time.process_time()
        given = turned_round(person.subject, person.body, facing) if facing else (person.subject, person.body)
        found = refine_body(*given, watched, rounds=rounds, weights=weights, posture=posture)
        seconds += time.process_time() - start
        solved += len(found.accepted)
        rejected += found.accepted.count(False)
        kept = [person.body]
        if facing is not None:
            kept.append(given[1])
        if posture is not None and rounds:
            kept.append(bodies[0])
        for turn in range(rounds):
            kept.append(bodies[turn + 1] if turn < len(found.accepted) and found.accepted[turn] else kept[-1])
        table.append([errors(body, person) for body in kept])
    values = np.array([[[row[c] for c in COLUMNS] for row in rows] for rows in table])
    before = ["0", *(["facing"] if facing else []), *(["posture"] if posture and rounds else [])]
    print("round   " + "".join(f"{c:>9}" for c in COLUMNS) + "   turn 50, 80, 95 %")
    for turn in range(values.shape[1]):
        high = np.percentile(values[:, turn, COLUMNS.index("turn")], [50, 80, 95])
        print(
            f"{before[turn] if turn < len(before) else turn - len(before) + 1:<8}"
            + "".join(f"{v:9.1f}" for v in values[:, turn].mean(0))
            + "   "
            + " ".join(f"{h:5.1f}" for h in high)
        )
    truth = [errors(replace(p.sample.body, camera=p.camera), p) for p in people if p.sample.body is not None]
    print("truth   " + "".join(f"{np.mean([row[c] for row in truth]):9.1f}" for c in COLUMNS))
    first, last = values[:, 0, 0], values[:, -1, 0]
    print(
        f"vertices: {100 * (1 - last.mean() / first.mean()):.0f} % less; less for {(last < first).sum()} of {len(people)}"
    )
    print("        its median over people:", *np.median(values[:, :, 0], 0).round(1))
    views = np.array([view_of(person) for person in people])
    for view in ("front", "side", "back"):
        if (views == view).any():
            print(
                f"  {view:5} {(views == view).sum():3} people: vertices", *values[views == view, :, 0].mean(0).round(1)
            )
    print(
        f"{rejected} of {solved} rounds rejected; beside the maps a round takes "
        f"{(seconds - asked) / max(solved, 1):.2f} s of one core"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("people", type=Path)
    parser.add_argument("-n", type=int, default=40)
    parser.add_argument("--seed", type=int, default=900_100)
    parser.add_argument("--assets", type=Path)
    parser.add_argument("--poses", type=Path)
    parser.add_argument("--weights", type=Path, default=WEIGHTS)
    parser.add_argument("--size", type=int, default=512, help="pixels along each side of the crop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--posture", type=Path, nargs="?", const=POSTURE, help="correct the posture first")
    parser.add_argument("--facing", type=Path, nargs="?", const=FACING, help="turn round who faces away first")
    parser.add_argument("--truth", type=float, metavar="NOISE")
    parser.add_argument("--ablate", action="store_true")
    options = parser.parse_args()
    make_people(options.people, options)
    model = load_body()
    files = [options.people / f"{number:04d}" for number in range(options.n)]
    people = [read_fitted(file, model) for file in files if file.with_suffix(".npz").is_file()]
    print(f"{len(people)} people, {options.n - len(people)} not found")
    if options.truth is not None:
        predictor = lambda number, person: by_truth(person, options.truth, number)  # noqa: E731
    else:
        net = load_weights(options.weights)
        predictor = lambda _, person: by_network(net, person, options.size)  # noqa: E731
    posture = load_posture(options.posture) if options.posture else None
    facing = load_facing(options.facing) if options.facing else None
    for name, weights in ABLATIONS.items() if options.ablate else (("all terms", RefineWeights()),):
        print(f"\n{name}")
        report(people, predictor, options.rounds, weights, posture, facing)


if __name__ == "__main__":
    main()
