"""The judge is trained on real films, whose things are tracked as those of a judged film are."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from goodput.video.clip import Clip
from goodput.video.judging.look import KINDS, Look, LookConfig, centred
from goodput.video.judging.track import background_of, track
from goodput.video.scenes.draw import draw_scene
from goodput.video.scenes.render import render
from goodput.video.scenes.scene import Scene


def real_clip(seed: int, number: int, *, rough: bool = True) -> tuple[Clip, Scene]:
    """A real film of one thing, at 32 or 64 pixels; ``rough``: blurred and noisy now and then, as
    what comes out of an autoencoder is."""
    random = np.random.default_rng([seed, number])
    while True:
        scene = draw_scene(random, from_held_out=bool(random.random() < 0.1))
        if len(scene.things) == 1:
            break
    frames = render(scene, 64 if random.random() < 0.7 else 32).frames
    if rough and random.random() < 0.5:
        pixels = frames.astype(np.float64)
        share = random.uniform(0, 0.5)
        beside = (np.roll(pixels, 1, 1) + np.roll(pixels, -1, 1)) / 4
        beside += (np.roll(pixels, 1, 2) + np.roll(pixels, -1, 2)) / 4
        pixels = (1 - share) * pixels + share * beside
        pixels += random.normal(0, random.uniform(0, 12), pixels.shape)
        frames = np.clip(pixels, 0, 255).astype(np.uint8)
    return Clip(frames), scene


def train_look(
    seed: int, clips: int, steps: int, progress: Callable[[int], None], batch: int = 64
) -> Look:
    """Train on outlines of ``clips`` films; ``progress`` is told the films and steps done."""
    outlines, kinds = [], []
    for number in range(clips):
        clip, scene = real_clip(seed, number)
        (thing,) = scene.things
        found = track(clip.frames, thing.colour, background_of(clip.frames))
        progress(number + 1)
        if found.found:
            outlines.append(centred(found))
            kinds.append(KINDS.index((thing.shape, thing.size)))
    pictures, labels = torch.stack(outlines)[:, None], torch.tensor(kinds)
    torch.manual_seed(seed)
    network = Look(LookConfig())
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=steps)
    generator = torch.Generator().manual_seed(seed)
    for step in range(steps):
        chosen = torch.randint(len(labels), (batch,), generator=generator)
        # A pixel to and fro: centres of what a model makes are not exact either.
        moves = torch.randint(-1, 2, (2,), generator=generator).tolist()
        moved = pictures[chosen].roll(moves, (2, 3))
        loss = cross_entropy(network(moved), labels[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        progress(clips + step + 1)
    return network.eval().requires_grad_(False)
