"""Training of the facing network: what its pictures tell is learnt."""

from __future__ import annotations

import torch

from lookalike.maps.facing import HEAD, WHOLE, network_pictures
from lookalike.train.facing import Seen, read_seen, train_facing


def test_people_of_a_folder_are_read(people_dir):
    seen = read_seen([people_dir])
    assert seen.whole.shape == (2, WHOLE, WHOLE, 4) and seen.head.shape == (2, HEAD, HEAD, 4)
    torch.testing.assert_close(seen.facing.reshape(2, 2, 3).norm(dim=2), torch.ones(2, 2))


def test_bright_people_who_face_the_camera_are_told_from_dark_ones_who_do_not():
    bright = torch.arange(40) % 2 == 0
    whole, head = (torch.full((40, side, side, 4), 255, dtype=torch.uint8) for side in (WHOLE, HEAD))
    for pictures in (whole, head):
        pictures[~bright, :, :, :3] = 20
    facing = torch.tensor([0.0, 0.0, 1.0] * 2) * torch.where(bright, 1.0, -1.0)[:, None]
    net = train_facing(Seen(whole, head, facing), steps=40, batch=16)
    with torch.no_grad():
        found = net(network_pictures(whole), network_pictures(head))
    assert (found[:, 2] > 0).equal(bright)
