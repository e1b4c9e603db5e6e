"""The method: one photo in, a rigged and textured avatar of each person out.

    photo ──read──▶ Photo ──find──▶ Subject        one per person: matte, landmarks, hands, face
    Subject ──fit──▶ Body                          shape, pose and camera of a parametric body
    Subject, Body ◀──refine──▶ Maps                normals and depths, front and back; body and maps correct each other
    Subject, Body, Maps ──draw──▶ Surface          the body's mesh, drawn out to the clothes, in the photo's pose
    Surface, Body, Maps ──join──▶ Surface          a mesh of its own: with what the body's topology has no room for
    Surface, Subject, Body ──paint──▶ Material     the photo as texture, what it does not show completed
    Surface, Body, Material ──rig──▶ Avatar        skeleton, skin weights, face shapes, motions

Each stage is a function of its own room and can be called alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lookalike import aside
from lookalike.stages import StageClock

if TYPE_CHECKING:
    from lookalike.body.model import Body
    from lookalike.photo.subject import Photo, Subject
    from lookalike.rig.avatar import Avatar

Person = Literal["largest", "all"] | int
Topology = Literal["auto", "body"]
Detail = Literal["low", "medium", "high"]
Device = Literal["auto", "cpu", "cuda"]

#: What the second half of the method imports: a second and a half, PyTorch above all.
SECOND_HALF = (
    "lookalike.maps.predict",
    "lookalike.maps.refine",
    "lookalike.body.fit",
    "lookalike.surface.implicit",
    "lookalike.appearance.painting",
    "lookalike.rig.rigging",
)
#: In which maps and body correct each other.
ROUNDS = 3
#: About how many triangles a mesh has that is free in topology.
TRIANGLES = {"low": 10_000, "medium": 30_000, "high": 100_000}


def make_avatar(
    photo: str | Path | Photo,
    *,
    person: Person = "largest",
    height: float | None = None,
    body_model: str | Path | None = None,
    topology: Topology = "auto",
    detail: Detail = "high",
    device: Device = "auto",
    seed: int = 0,
    clock: StageClock | None = None,
) -> Avatar:
    """The avatar of one person.

    photo : a file that Pillow or HEIF can read, or a `Photo`.
    person : "largest", or N for the Nth person from the left, from 1.
    height : the person's height in metres; None leaves it to the fit.
    body_model : an SMPL, SMPL-H or SMPL-X file; None takes Lookalike's own body.
    topology : "auto" for a mesh of its own, with hair, hems, hats and bags; "body" keeps the body model's vertices and faces.
    detail : "low", "medium" or "high": about 10,000, 30,000 or 100,000 triangles. Nothing with topology "body".
    device : where the fit runs; "auto" is the GPU if PyTorch sees one.
    seed : the same seed, photo and options give the same avatar.
    clock : records each stage's seconds and memory; `avatar.report` has them too.

    Raises PhotoError, NoPersonError, BodyModelError (all of them `errors.LookalikeError`), and ValueError for an option
    that makes no sense.
    """
    if person == "all":
        raise ValueError('person="all" gives several avatars: use make_avatars')
    avatars = make_avatars(
        photo,
        person=person,
        height=height,
        body_model=body_model,
        topology=topology,
        detail=detail,
        device=device,
        seed=seed,
        clock=clock,
    )
    return next(avatars)


def make_avatars(
    photo: str | Path | Photo,
    *,
    person: Person = "all",
    height: float | None = None,
    body_model: str | Path | None = None,
    topology: Topology = "auto",
    detail: Detail = "high",
    device: Device = "auto",
    seed: int = 0,
    clock: StageClock | None = None,
) -> Iterator[Avatar]:
    """The avatars of a photo's people, left to right, each made when it is asked for. Options as in `make_avatar`."""
    check_options(person=person, height=height, topology=topology, detail=detail, device=device, seed=seed)
    clock = clock or StageClock()
    for subject in find_people(photo, person=person, clock=clock):
        yield reconstruct(
            subject,
            height=height,
            body_model=body_model,
            topology=topology,
            detail=detail,
            device=device,
            seed=seed,
            clock=clock.branch(),
        )


def find_people(
    photo: str | Path | Photo, *, person: Person = "largest", clock: StageClock | None = None
) -> list[Subject]:
    """The people of a photo, left to right: the first half of the method."""
    clock = clock or StageClock()
    with clock("read"):
        from lookalike.photo import find_subjects, read_photo

        if isinstance(photo, (str, Path)):
            photo = read_photo(Path(photo))
    with clock("find"):
        found = aside.beside(find_subjects, photo, person)
        if aside.running():
            for name in SECOND_HALF:
                import_module(name)
        return found()


def reconstruct(
    subject: Subject,
    *,
    height: float | None = None,
    body_model: str | Path | None = None,
    topology: Topology = "auto",
    detail: Detail = "high",
    device: Device = "auto",
    seed: int = 0,
    clock: StageClock | None = None,
    body: Body | None = None,
) -> Avatar:
    """One person's avatar: the second half of the method. Options as in `make_avatar`.

    body : a body that is known already, in the camera frame of the subject's photo, at its own scale and in its own
        model; it takes the place of the fit and is not refined, and `height`, `body_model` and `device` do nothing.
    """
    if body is not None and (body.camera.width, body.camera.height) != subject.photo.size:
        raise ValueError(
            f"the body's camera has {body.camera.width} x {body.camera.height} pixels and the photo "
            f"{subject.photo.size[0]} x {subject.photo.size[1]}: give the body in the photo's own camera."
        )
    clock = clock or StageClock()
    with clock("load"):
        from lookalike.appearance import paint, with_relief
        from lookalike.body import fit_body, load_body
        from lookalike.maps.facing import facing_network, turned_round
        from lookalike.maps.posture import posture_network
        from lookalike.maps.predict import maps_network, predict_maps
        from lookalike.maps.refine import refine_body
        from lookalike.report import describe
        from lookalike.rig import rig
        from lookalike.surface import draw_out, follow_maps
        from lookalike.surface.implicit import join, surface_of

        net = maps_network(resolve_device(device))
        posture = None
        if body is None:
            device = resolve_device(device)
            model = load_body(body_model)
            facing, posture = facing_network(), posture_network()
    rounds = 0 if body is not None else ROUNDS
    if body is None:
        with clock("fit"):
            body = fit_body(subject, model, height=height, seed=seed, device=device)
    with clock("refine"):
        if posture is not None:
            subject, body = turned_round(subject, body, facing)
        refined = refine_body(
            subject, body, lambda b: predict_maps(subject, b, net), rounds, height, seed, posture=posture
        )
    body, maps = refined.body, refined.predicted
    with clock("draw"):
        surface = draw_out(body, subject, topology="body" if topology == "body" else "fine")
        surface = follow_maps(surface, body, maps)
    joined = None
    if topology == "auto":
        with clock("join"):
            joined = join(surface, body, maps)
            surface = surface_of(joined, surface, body, TRIANGLES[detail])
    with clock("paint"):
        material = paint(surface, subject, body)
        if joined is not None and detail != "high":
            material = with_relief(material, surface, joined.vertices, joined.faces)
    with clock("rig"):
        name = subject.photo.path.stem if subject.photo.path else "avatar"
        avatar = rig(surface, body, material, name)

    settings = {"height": height, "topology": topology, "detail": detail, "device": device, "seed": seed}
    report = {**avatar.report, **describe(avatar, subject, settings=settings, clock=clock)}
    shares = [round(energy / max(refined.energies[0], 1e-12), 4) for energy in refined.energies]
    report["refinement"] = {"energies": shares, "accepted": [bool(yes) for yes in refined.accepted]}
    return replace(avatar, subject=subject, maps=maps, report=report)


def check_options(
    *,
    person: str | int = "largest",
    height: float | None = None,
    topology: str = "auto",
    detail: str = "high",
    device: str = "auto",
    seed: int = 0,
) -> None:
    """Raise ValueError, in one sentence that says what to do, for an option that makes no sense."""
    is_number = isinstance(person, int) and not isinstance(person, bool)
    if not (person in ("largest", "all") if not is_number else int(person) >= 1):
        raise ValueError(f'person is "largest", "all" or a number from 1 (counted from the left), not {person!r}.')
    if height is not None and not 0.4 <= height <= 2.8:
        raise ValueError(f"height is in metres, between 0.4 and 2.8, not {height:g}.")
    if topology not in ("auto", "body"):
        raise ValueError(f'topology is "auto" or "body", not {topology!r}.')
    if detail not in TRIANGLES:
        raise ValueError(f'detail is "low", "medium" or "high", not {detail!r}.')
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device is "auto", "cpu" or "cuda", not {device!r}.')
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed is a whole number from 0 to 2147483647, not {seed}.")
    if device == "cuda":
        resolve_device(device)


def resolve_device(device: str) -> Literal["cpu", "cuda"]:
    """ "auto" becomes "cuda" where PyTorch sees a GPU, else "cpu". Raises ValueError for "cuda" without one."""
    if device == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise ValueError('PyTorch sees no CUDA GPU here: use device "cpu" or "auto".')
    return "cpu"
