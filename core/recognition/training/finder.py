#!/usr/bin/python3
"""Trains the finder of cards and numbers (core/recognition/sight.h) on sketched scenes.

    guika-mint-scenes 0 14000 1000 > photographs.raw
    guika-mint-scenes 1 12000 1000 > filled.raw
    finder.py photographs.raw filled.raw --minutes 30 --checkpoint finder.pt

What the net sees (the same in sight.c): two channels of a grey picture, values 0 to 255,
  0: (v - mean) / deviation, both of the whole picture (deviation at least 1);
  1: (v - m) / (s + 4), m and s of the 17 x 17 pixels around that lie in the picture.
What it says, one cell every 4 x 4 pixels, NHWC in this order: row logit, cos 2a, sin 2a of the row's direction
(a clockwise from the x axis), ln(digit height / 8 px), card logit, border logit.
"""

import argparse

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import export
from checkpoint import Checkpoint

WIDTH = 320
HEIGHTS = (240, 208)  # photographs, filled frames
MAPS = 6
WINDOW = 17
FILLED_TRUST = 0.15  # weight of outlines in filled frames: nobody asks for them there


def conv(inputs, outputs, size, stride=1, groups=1):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Far(nn.Module):
    """Looks far around for little: 5 x 5 a channel, then 1 x 1, added to what came in."""

    def __init__(self, channels):
        super().__init__()
        self.depth = conv(channels, channels, 5, groups=channels)
        self.point = conv(channels, channels, 1)

    def forward(self, x):
        return x + self.point(self.depth(x))


class Finder(nn.Module):
    """117 million multiply-adds for 320 x 240; every 4, 8 and 16 pixels a level."""

    def __init__(self):
        super().__init__()
        self.stem = conv(2, 12, 5, 2)
        self.down4 = conv(12, 24, 3, 2)
        self.at4 = conv(24, 24, 3)
        self.down8 = conv(24, 40, 3, 2)
        self.at8 = conv(40, 40, 3)
        self.down16 = conv(40, 72, 3, 2)
        self.far = nn.Sequential(*[Far(72) for _ in range(5)])
        self.up8 = conv(72, 40, 1)
        self.join8 = conv(40, 24, 3)
        self.join4 = conv(24, 16, 3)
        self.head = nn.Conv2d(16, MAPS, 1)

    def forward(self, x):
        a = self.at4(self.down4(self.stem(x)))
        b = self.at8(self.down8(a))
        c = self.far(self.down16(b))
        b = self.join8(b + functional.interpolate(self.up8(c), scale_factor=2.0, mode="nearest"))
        a = self.join4(a + functional.interpolate(b, scale_factor=2.0, mode="nearest"))
        return self.head(a)


def normalise(grey):
    """grey: N x 1 x H x W, 0 to 255."""
    mean = grey.mean((2, 3), keepdim=True)
    deviation = (grey - mean).square().mean((2, 3), keepdim=True).sqrt().clamp_min(1)

    def along(x, axis):  # sums of 17 by doubling: 1, 2, 4, 8, 16, and one more
        reach = WINDOW // 2
        x = functional.pad(x, (0, 0, reach, reach) if axis == 2 else (reach, reach))
        size, single = x.shape[axis] - 2 * reach, x
        for shift in (1, 2, 4, 8):
            x = x.narrow(axis, 0, x.shape[axis] - shift) + x.narrow(axis, shift, x.shape[axis] - shift)
        return x.narrow(axis, 0, size) + single.narrow(axis, 2 * reach, size)

    def total(x):
        return along(along(x, 3), 2)

    count = total(torch.ones(1, 1, *grey.shape[2:]))

    def around(x):
        return total(x) / count

    near = grey - mean
    local_mean = around(near)
    local_deviation = (around(near * near) - local_mean * local_mean).clamp_min(0).sqrt()
    return torch.cat([near / deviation, (near - local_mean) / (local_deviation + 4)], 1)


def load(path, height):
    pixels = WIDTH * height
    data = np.memmap(path, np.uint8, "r")
    data = data[: len(data) // (pixels + MAPS * pixels // 16) * (pixels + MAPS * pixels // 16)]
    return data.reshape(-1, pixels + MAPS * pixels // 16)


def unpack(records, height):
    pixels = WIDTH * height
    records = torch.from_numpy(np.array(records))
    grey = records[:, :pixels].reshape(-1, 1, height, WIDTH).float()
    maps = records[:, pixels:].reshape(-1, MAPS, height // 4, WIDTH // 4).float()
    row, weight, angle, digit, card, border = maps.unbind(1)
    angle = angle * (2 * np.pi / 256)
    target = torch.stack(
        [row / 255, torch.cos(angle), torch.sin(angle), (digit - 128) / 48, card / 255, border / 255, weight / 255], 1
    )
    return grey, target


def vary(grey, target, random):
    """Turns by quarters, gamma, contrast, noise. Text is never mirrored."""
    turn = int(random.integers(4))
    grey = torch.rot90(grey, turn, (2, 3))
    target = torch.rot90(target, turn, (2, 3)).clone()
    if turn % 2 == 1:  # twice the angle turns by 180 degrees
        target[:, 1:3] = -target[:, 1:3]
    count = len(grey)
    gamma = torch.from_numpy(np.exp(random.uniform(-0.5, 0.5, (count, 1, 1, 1))).astype(np.float32))
    noise = torch.from_numpy(random.exponential(1.5, (count, 1, 1, 1)).astype(np.float32))
    grey = 255 * (grey / 255).clamp(0, 1) ** gamma + noise * torch.randn(grey.shape)
    return grey.clamp(0, 255), target


def loss_of(output, target, trust):
    row, weight = target[:, 0], target[:, 6]
    on_row = (row > 0.3).float()
    entropy = functional.binary_cross_entropy_with_logits
    row_loss = (entropy(output[:, 0], row, reduction="none") * weight * (1 + 2 * row)).mean()
    direction = (((output[:, 1:3] - target[:, 1:3]) ** 2).sum(1) * on_row).sum() / (on_row.sum() + 10)
    height = ((output[:, 3] - target[:, 3]).abs() * on_row).sum() / (on_row.sum() + 10)
    card_loss = entropy(output[:, 4], target[:, 4], reduction="none")
    border_loss = entropy(output[:, 5], target[:, 5], reduction="none") * (1 + target[:, 5])
    outline_loss = ((card_loss + border_loss).mean((1, 2)) * trust).sum() / trust.sum()
    return 4 * row_loss + 0.15 * direction + 0.15 * height + outline_loss


def measure(model, path, height):
    """Row cells: recall and precision at 0.35. Card cells: share of the union that both have."""
    trained = model.training
    model.eval()
    sums = np.zeros(6)
    data = load(path, height)
    with torch.no_grad():
        for at in range(0, len(data), 16):
            grey, target = unpack(data[at : at + 16], height)
            output = model(normalise(grey))
            row = torch.sigmoid(output[:, 0]) > 0.35
            truth, weight = target[:, 0] > 0.5, target[:, 6] > 0
            near = functional.max_pool2d((target[:, 0:1] > 0.02).float(), 3, 1, 1)[:, 0] > 0
            card, real_card = output[:, 4] > 0, target[:, 4] > 0.5
            sums += [
                float((row & truth).sum()), float(truth.sum()),
                float((row & near).sum()), float((row & weight).sum()),
                float((card & real_card).sum()), float((card | real_card).sum()),
            ]
    model.train(trained)
    return "row recall %.3f precision %.3f card overlap %.3f" % (
        sums[0] / sums[1], sums[2] / max(sums[3], 1), sums[4] / sums[5])


def batches(photographs, filled, size, random):
    """Both kinds in every batch, for batch norm's sake; photographs lose 32 rows at random."""
    low = HEIGHTS[1]
    while True:
        orders = [random.permutation(len(photographs)), random.permutation(len(filled))]
        first, second = size - size * 3 // 8, size * 3 // 8
        for step in range(min(len(orders[0]) // first, len(orders[1]) // second)):
            some = np.sort(orders[0][step * first : (step + 1) * first])
            others = np.sort(orders[1][step * second : (step + 1) * second])
            grey, target = unpack(photographs[some], HEIGHTS[0])
            top = 4 * int(random.integers((HEIGHTS[0] - low) // 4 + 1))
            grey, target = grey[:, :, top : top + low], target[:, :, top // 4 : (top + low) // 4]
            more_grey, more_target = unpack(filled[others], low)
            trust = torch.tensor([1.0] * first + [FILLED_TRUST] * second)
            yield torch.cat([grey, more_grey]), torch.cat([target, more_target]), trust


def operations(model):
    """The net as export.py writes it; "finder" is its name in the model file."""
    made = []

    def add(block, source, name, relu=True):
        made.append(export.conv(block[0], block[1], relu=relu, input=source, output=name))
        return name

    four = add(model.at4, add(model.down4, add(model.stem, "x", "stem"), "down4"), "at4")
    eight = add(model.at8, add(model.down8, four, "down8"), "at8")
    far = add(model.down16, eight, "down16")
    for i, block in enumerate(model.far):
        depth = add(block.depth, far, "depth%d" % i)
        point = add(block.point, depth, "point%d" % i)
        made.append(export.add(far, point, output="far%d" % i))
        far = "far%d" % i
    made.append(export.double(input=add(model.up8, far, "up8"), output="doubled8"))
    made.append(export.add(eight, "doubled8", output="both8"))
    made.append(export.double(input=add(model.join8, "both8", "join8"), output="doubled4"))
    made.append(export.add(four, "doubled4", output="both4"))
    add(model.join4, "both4", "join4")
    made.append(export.conv(model.head, input="join4", output="head"))
    return made


def settle(model):
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


def report(model, held):
    for path, height in zip(held or [], HEIGHTS):
        print(path, measure(model, path, height), flush=True)


def train(options):
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    model = Finder().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.rate, weight_decay=0.01)
    checkpoint, mean = Checkpoint(options.checkpoint, model, optimiser, options.minutes), None
    random = np.random.default_rng(options.seed + checkpoint.steps)
    sets = load(options.photographs, HEIGHTS[0]), load(options.filled, HEIGHTS[1])
    for grey, target, trust in batches(*sets, options.batch, random):
        done = checkpoint.share()
        if done >= 1:
            break
        if done > 0.75:  # batch norm as it will be used
            settle(model)
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (checkpoint.steps + 1) / 100, max((1 - done) / 0.8, 0.01))
        grey, target = vary(grey, target, random)
        inputs = normalise(grey).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output = model(inputs)
        loss = loss_of(output.float(), target, trust)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        mean = loss.item() if mean is None else 0.98 * mean + 0.02 * loss.item()
        checkpoint.steps += 1
        if checkpoint.steps % 500 == 0:
            print("%.1f minutes, step %d, loss %.4f" % (checkpoint.seconds() / 60, checkpoint.steps, mean), flush=True)
            report(model, options.held)
            checkpoint.save()
    checkpoint.save()
    report(model, options.held)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs")
    parser.add_argument("filled")
    parser.add_argument("--held", nargs=2, help="photographs and filled frames to measure on")
    parser.add_argument("--checkpoint", required=True)
    parser.add_argument("--minutes", type=float, default=30, help="of one core")
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    train(parser.parse_args())


if __name__ == "__main__":
    main()
