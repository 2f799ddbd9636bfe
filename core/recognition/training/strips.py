"""What the digit net is trained on: minted strips, and real four-digit crops put together to rows."""

import os

import numpy as np
import torch
from torch.nn import functional

import augment

HEIGHT = 32  # rows of the net's input
RECORD = np.dtype([("text", "S28"), ("digit_px", "<f4"), ("grey", "u1", (40, 304))])
CROP, ROW = (46, 120), (52, 256)  # a real crop of four digits; two of them with their edges repeated


class Pool:
    """Minted strips in files, mapped into memory; sampled without order."""

    def __init__(self, paths):
        counts = [(path, os.path.getsize(path) // RECORD.itemsize) for path in paths]
        self.parts = [np.memmap(path, RECORD, "r", shape=(count,)) for path, count in counts if count > 0]
        self.total = sum(len(part) for part in self.parts)

    def _draw(self, rng):
        index = rng.integers(0, self.total)
        for part in self.parts:
            if index < len(part):
                return part[index]
            index -= len(part)

    def _sample(self, rng, count, chance):
        """Strips, each kept with the chance that its text gives it."""
        grey, texts = np.empty((count,) + RECORD["grey"].shape, np.uint8), []
        while len(texts) < count:
            strip = self._draw(rng)
            text = strip["text"].decode()
            if rng.random() < chance(text):
                grey[len(texts)] = strip["grey"]
                texts.append(text)
        return torch.from_numpy(grey).float().div_(255).unsqueeze(1), texts

    def sample(self, rng, count):
        return self._sample(rng, count, lambda text: 1 if text else 0.3)  # silence is learned soon

    def silent(self, rng, count):
        """Strips with nothing to read: words and artwork."""
        return self._sample(rng, count, lambda text: 0 if text else 1)[0]


def load_table(table):
    """Grey pictures and texts of a table of strips; `_` is no digit."""
    from PIL import Image

    folder, rows = table[: -len(".tsv")], []
    for line in open(table, encoding="utf-8").read().splitlines()[1:]:
        name, digits = line.split("\t")[:2]
        grey = np.asarray(Image.open(os.path.join(folder, name)).convert("L"), np.float32) / 255
        rows.append((grey, digits.replace("_", "")))
    return rows


def resized(grey, size):
    return functional.interpolate(grey, size, mode="bilinear", align_corners=False)


def pick(crops, rng, halves):
    """A crop, or a half of one that shows all its four digits: they stand at one pitch."""
    grey, text = crops[rng.integers(0, len(crops))]
    grey = torch.from_numpy(grey)[None, None]
    if not halves:
        return resized(grey, CROP), text
    if len(text) != 4:
        return pick(crops, rng, halves)
    right, middle = rng.random() < 0.5, grey.shape[3] // 2
    grey, text = (grey[..., middle:], text[2:]) if right else (grey[..., :middle], text[:2])
    return resized(grey, (CROP[0], CROP[1] // 2)), text


def real_row(crops, rng):
    """Two crops side by side, or four halves, so that no crop is learned by heart; in part of one mean, as on one card."""
    halves = rng.random() < 0.5
    parts = [pick(crops, rng, halves) for _ in range(4 if halves else 2)]
    evened, means = rng.random(), [grey.mean() for grey, _ in parts]
    away = [(sum(means) / len(means) - mean) * evened for mean in means]
    row = torch.cat([grey + shift for (grey, _), shift in zip(parts, away)], 3)
    blur = rng.uniform(1, 2.4)
    row = augment.soften(row, blur) if blur > 1.2 else row
    aside, above = (ROW[1] - row.shape[3]) // 2, (ROW[0] - row.shape[2]) // 2
    return functional.pad(row, (aside, aside, above, above), mode="replicate"), "".join(text for _, text in parts)


def place_minted(pool, rng, generator, count):
    grey, texts = pool.sample(rng, count)
    return augment.place(grey, generator, 272, HEIGHT), texts


def place_real(crops, pool, rng, generator, count):
    """The rows are 46 high, of which digits take two thirds; artwork of the mint shines through some."""
    rows = [real_row(crops, rng) for _ in range(count)]
    placed = augment.place(torch.cat([grey for grey, _ in rows]), generator, 248, 44)
    placed = augment.overlay(placed, resized(pool.silent(rng, count), placed.shape[2:]), generator)
    placed = augment.slope_light(placed, generator)
    return functional.interpolate(placed, (HEIGHT, 180), mode="bilinear", align_corners=False, antialias=True), \
        [text for _, text in rows]
