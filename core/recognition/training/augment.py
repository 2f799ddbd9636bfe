"""Variety laid over strips while the digit net is trained: cheap changes on top of what the mint drew and a camera saw.

Strips are batch x 1 x height x width, grey 0..1; every function draws from the generator that it is given.
"""

import torch
from torch.nn import functional


def between(low, high, count, generator):
    """A number for each strip."""
    return low + (high - low) * torch.rand(count, 1, 1, 1, generator=generator)


def place(grey, generator, out_width, out_height):
    """Cuts a window of the strips at a random scale, turn and place, as an uncertain line finder would."""
    count, _, height, width = grey.shape
    rand = lambda low, high: low + (high - low) * torch.rand(count, generator=generator)
    scale_y = rand(0.85, 1.35)
    scale_x = scale_y * rand(0.85, 1.18)
    turn = rand(-0.035, 0.035)
    shift_y = rand(-3.5, 3.5)
    shift_x = rand(-4, 4)
    theta = torch.zeros(count, 2, 3)
    theta[:, 0, 0] = out_width / width * scale_x
    theta[:, 0, 1] = turn * out_height / width
    theta[:, 0, 2] = shift_x * 2 / width
    theta[:, 1, 0] = -turn * out_width / height
    theta[:, 1, 1] = out_height / height * scale_y
    theta[:, 1, 2] = shift_y * 2 / height
    grid = functional.affine_grid(theta, (count, 1, out_height, out_width), align_corners=False)
    return functional.grid_sample(grey, grid, padding_mode="border", align_corners=False)


def disturb(grey, generator):
    """Contrast, inversion, noise."""
    count = grey.shape[0]
    gain = between(0.5, 1.5, count, generator)
    gamma = torch.exp(torch.randn(count, 1, 1, 1, generator=generator) * 0.25)
    grey = (grey.clamp(0.001, 1) ** gamma - 0.5) * gain + 0.5
    invert = between(0, 1, count, generator) < 0.15
    grey = torch.where(invert, 1 - grey, grey)
    return grey + torch.randn(grey.shape, generator=generator) * between(0, 0.02, count, generator)


def strike(grey, generator):
    """Lays bars over a third of the pictures, as artwork and wear do; only what leaves a digit readable."""
    count, _, height, width = grey.shape
    rand = lambda low, high: between(low, high, count, generator)
    rows, columns = torch.arange(height).view(1, 1, -1, 1), torch.arange(width).view(1, 1, 1, -1)
    for _ in range(3):
        x, y, slope = rand(0, width), rand(0, height), rand(-0.6, 0.6)
        level = rand(0, 1) < 0.7
        along, across = columns - x, rows - y - slope * (columns - x)
        along, across = torch.where(level, along, across * 8), torch.where(level, across, along)
        bar = (along.abs() < rand(4, 40)) & (across.abs() < rand(0.5, 3)) & (rand(0, 1) < 0.12)
        alpha = bar * rand(0.3, 1)
        grey = grey * (1 - alpha) + rand(0, 1) * alpha
    return grey


def slope_light(grey, generator):
    """Light that falls off over the strip, by up to 0.15 along it and 0.2 across it from its middle."""
    count, _, height, width = grey.shape
    x, y = torch.linspace(-1, 1, width).view(1, 1, 1, -1), torch.linspace(-1, 1, height).view(1, 1, -1, 1)
    return grey + between(-0.15, 0.15, count, generator) * x + between(-0.2, 0.2, count, generator) * y


def overlay(grey, artwork, generator):
    """Another picture of the same size shines through half of the strips, at up to 0.4 of its contrast."""
    count = grey.shape[0]
    artwork = torch.where(between(0, 1, count, generator) < 0.5, artwork.flip(3), artwork)
    share = between(-0.4, 0.4, count, generator).clamp(min=0)
    return grey + (artwork - artwork.mean((2, 3), keepdim=True)) * share


def soften(grey, times):
    """As a camera with `times` fewer pixels each way would have seen it."""
    height, width = grey.shape[2:]
    small = (max(12, int(height / times)), int(width / times))
    small = functional.interpolate(grey, small, mode="bilinear", align_corners=False, antialias=True)
    return functional.interpolate(small, (height, width), mode="bilinear", align_corners=False)
