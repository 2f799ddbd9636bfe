#!/usr/bin/env python3
"""Trains the digit net: strips of number lines to a CTC matrix.

Data are minted strips (tests/mint/strip.h) and, where the folder is given, real four-digit crops that may train
(strips/train of the study's corpus). Nothing else is looked at; `--measure` only prints the figures on a table of strips
that no step of the training depends on.

    digits.py --pool FILE... [--real TABLE] [--measure TABLE] --checkpoint FILE --minutes N --alone N

The input of the net, here and in core/recognition/digit_net.c: 32 rows of grey 0..1; of each pixel the mean of a
window of 25 x 25 pixels (edges repeat) is taken away, and the rest divided by the window's deviation plus 0.03.
"""

import argparse
import json

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import augment
import strips
from checkpoint import Checkpoint

ALPHABET = "0123456789X"  # classes 1 to 11; 0 is CTC's blank
WINDOW, FLOOR = 25, 0.03


def block(inputs, outputs, kernel, stride=1, padding=None):
    padding = (kernel[0] // 2, kernel[1] // 2) if padding is None else padding
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )


class DigitNet(nn.Module):
    """1 x 32 x W grey to W/4 columns of 12 logits. About 290,000 parameters, 60 M multiply-adds at W = 320."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            block(1, 16, (5, 5), 2),
            block(16, 32, (3, 3)),
            nn.MaxPool2d((2, 1)),
            block(32, 48, (3, 3)),
            nn.MaxPool2d((2, 2)),
            block(48, 80, (3, 3)),
            nn.MaxPool2d((2, 1)),
            block(80, 128, (2, 5), padding=(0, 2)),
            block(128, 128, (1, 7)),
            nn.Dropout(0.05),
            nn.Conv2d(128, 12, 1),
        )

    def forward(self, grey):
        return self.body(grey).squeeze(2).permute(2, 0, 1)  # columns, batch, classes


def box(values):
    """Means of WINDOW x WINDOW pixels, edges repeated."""
    before, after = WINDOW // 2 + 1, WINDOW // 2
    sums = functional.pad(values, (before, after, before, after), mode="replicate").cumsum(2)
    sums = (sums[:, :, WINDOW:] - sums[:, :, :-WINDOW]).cumsum(3)
    return (sums[..., WINDOW:] - sums[..., :-WINDOW]) / WINDOW**2


def normalise(grey):
    """Batch x 1 x 32 x W of 0..1."""
    away = grey - box(grey)
    return away / (box(away * away).clamp(min=0).sqrt() + FLOOR)


def operations(net):
    """The net as core/recognition/network.h runs it."""
    from export import conv, max_pool

    ops, before = [], "x"
    for number, layer in enumerate(net.body):
        after = "t%d" % number
        if isinstance(layer, nn.Sequential):
            ops.append(conv(layer[0], layer[1], relu=True, input=before, output=after))
        elif isinstance(layer, nn.MaxPool2d):
            ops.append(max_pool(*layer.kernel_size, input=before, output=after))
        elif isinstance(layer, nn.Conv2d):
            ops.append(conv(layer, input=before, output=after))
        else:
            continue  # dropout: nothing when the net runs
        before = after
    return ops


def ctc(logits, texts):
    targets = torch.tensor([ALPHABET.index(c) + 1 for text in texts for c in text], dtype=torch.long)
    lengths = torch.tensor([len(text) for text in texts])
    columns = torch.full((len(texts),), logits.shape[0], dtype=torch.long)
    return functional.ctc_loss(logits.float().log_softmax(2), targets, columns, lengths, reduction="sum", zero_infinity=True)


def greedy(logits):
    texts = []
    for row in logits.argmax(2).T.tolist():
        texts.append("".join(ALPHABET[c - 1] for i, c in enumerate(row) if c > 0 and (i == 0 or row[i - 1] != c)))
    return texts


FRAMINGS = [(1.0, 0.0), (0.82, -0.09), (0.82, 0.0), (0.82, 0.09), (0.66, -0.17), (0.66, 0.0), (0.66, 0.17)]


def framed(picture, share, shift):
    """The window of a strip that a framing shows, 32 rows high."""
    height = picture.shape[0]
    top = max(0, int(round((0.5 + shift - share / 2) * height)))
    bottom = min(height, int(round((0.5 + shift + share / 2) * height)))
    cut = torch.from_numpy(np.ascontiguousarray(picture[top:bottom]))[None, None]
    width = max(40, int(round(picture.shape[1] * strips.HEIGHT / (bottom - top) / 4)) * 4)
    return functional.interpolate(cut, (strips.HEIGHT, width), mode="bilinear", align_corners=False, antialias=True)


@torch.no_grad()
def measure(net, rows):
    """Wrong strips: one framing, and the most confident of seven."""
    net.eval()
    wrong = [0, 0]
    for picture, text in rows:
        best = [-1e9, ""]
        for number, (share, shift) in enumerate(FRAMINGS):
            logits = net(normalise(framed(picture, share, shift)).contiguous(memory_format=torch.channels_last))
            probabilities = logits.float().log_softmax(2).max(2)
            read = greedy(logits)[0]
            inked = probabilities.indices[:, 0] > 0
            sure = probabilities.values[:, 0].sum().item() / max(1, len(read)) if inked.any() else -1e8
            if number == 0:
                wrong[0] += read != text
            if sure > best[0]:
                best = [sure, read]
        wrong[1] += best[1] != text
    net.train()
    return wrong


@torch.no_grad()
def measure_pool(net, pool, seed):
    net.eval()
    rng, generator = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    exact = total = 0
    for _ in range(8):
        grey, texts = pool.sample(rng, 128)
        read = greedy(net(normalise(augment.place(grey, generator, 288, strips.HEIGHT)).contiguous(memory_format=torch.channels_last)))
        exact += sum(a == b for a, b in zip(read, texts))
        total += len(texts)
    net.train()
    return exact / total


def step_rate(done, peak):
    """A short warm-up, then linear to zero."""
    return peak * min(1, done / 0.01) * max(0.002, 1 - done)


def report(checkpoint, losses, pool, table):
    line = {"minutes": round(checkpoint.seconds() / 60, 1), "steps": checkpoint.steps, "loss": round(sum(losses) / len(losses), 3),
            "minted": round(measure_pool(checkpoint.net, pool, 7), 4)}
    if table:
        line["wrong"], line["of"] = measure(checkpoint.net, table), len(table)
    print(json.dumps(line), flush=True)


def learn(net, optimiser, batches, options, generator):
    """One step; the loss of its last batch."""
    optimiser.zero_grad()
    for placed, texts in batches:
        placed = augment.disturb(augment.strike(placed, generator), generator)
        inputs = normalise(placed).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(inputs)
        loss = ctc(logits, texts) / options.batch
        loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    optimiser.step()
    return loss.item()


def train(options):
    torch.manual_seed(options.seed)
    net = DigitNet().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), options.rate, weight_decay=0.01)
    checkpoint = Checkpoint(options.checkpoint, net, optimiser, options.minutes)
    pool = strips.Pool(options.pool)
    crops = strips.load_table(options.real) if options.real else []
    table = strips.load_table(options.measure) if options.measure else []
    rng = np.random.default_rng(options.seed + checkpoint.steps)
    generator, losses = torch.Generator().manual_seed(options.seed + checkpoint.steps), []
    while checkpoint.share() < 1:
        torch.set_num_threads(1 if checkpoint.seconds() < options.alone * 60 else 2)
        for group in optimiser.param_groups:
            group["lr"] = step_rate(checkpoint.share(), options.rate)
        batches = [strips.place_minted(pool, rng, generator, options.batch)]
        if crops:
            batches.append(strips.place_real(crops, pool, rng, generator, options.batch * 3 // 8))
        losses.append(learn(net, optimiser, batches, options, generator))
        checkpoint.steps += 1
        if checkpoint.steps % 500 == 0:
            report(checkpoint, losses, pool, table)
            losses = []
            checkpoint.save()
    checkpoint.save()
    if losses:
        report(checkpoint, losses, pool, table)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pool", nargs="+", required=True)
    parser.add_argument("--real")
    parser.add_argument("--measure")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--minutes", type=float, default=100, help="of a core")
    parser.add_argument("--alone", type=float, default=40, help="minutes before a second core is used")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
