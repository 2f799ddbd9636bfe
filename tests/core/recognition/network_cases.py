"""Makes network_cases.gkm and network_cases.bin, what network_test.c compares with. PyTorch is the reference.

Again, after a change of the format:  python3 tests/core/recognition/network_cases.py   (needs PyTorch and NumPy)

network_cases.bin holds cases: the network's name in 16 bytes, five u32: height and width of the input, height, width
and channels of the output; then the output's floats. The input's value i is ((37 i + 11) mod 101) / 50 - 1.
"""
import os
import struct
import sys

import numpy
import torch
import torch.nn.functional as functional

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../../core/recognition/training"))
import export  # noqa: E402

torch.manual_seed(7)


def conv(inputs, outputs, height, width, stride=1, groups=1, bias=True):
    return torch.nn.Conv2d(inputs, outputs, (height, width), stride, groups=groups, bias=bias)


def norm(channels):
    module = torch.nn.BatchNorm2d(channels)
    module.running_mean.normal_(0, 0.3)
    module.running_var.uniform_(0.5, 2)
    torch.nn.init.uniform_(module.weight, 0.5, 2)
    torch.nn.init.normal_(module.bias)
    return module


NETWORKS = {
    # Kernels, strides and paddings of all kinds, with channels that fill no vector.
    "filters": [
        export.conv(conv(3, 18, 3, 3, bias=False), norm(18), True, (1, 1, 1, 1), input="x", output="a"),
        export.conv(conv(18, 9, 2, 5, (1, 2)), None, True, (0, 1, 2, 1), input="a", output="b"),
        export.conv(conv(9, 12, 4, 3, (2, 1)), norm(12), False, (1, 2, 0, 2), input="b", output="c"),
        export.conv(conv(12, 7, 1, 1), input="c", output="d"),
    ],
    # One input channel, as in our models; channels for every way to divide them into strips.
    "channels": [
        export.conv(conv(1, 12, 5, 5, 2), None, True, (2, 2, 2, 2), input="x", output="a"),
        export.conv(conv(12, 50, 1, 1), None, True, input="a", output="b"),
        export.conv(conv(50, 3, 1, 1), None, True, input="b", output="c"),
        export.conv(conv(3, 33, 1, 1), None, True, input="c", output="d"),
        export.conv(conv(33, 4, 1, 2), None, False, input="d", output="e"),
        export.conv(conv(4, 83, 1, 1), input="e", output="f"),
        export.conv(conv(83, 4, 1, 1), input="f", output="g"),
    ],
    "others": [
        export.conv(conv(2, 19, 3, 3), None, True, (1, 1, 1, 1), input="x", output="a"),
        export.conv(conv(19, 19, 3, 3, groups=19), None, True, (1, 1, 1, 1), input="a", output="b"),
        export.add("a", "b", output="sum"),
        export.conv(conv(19, 19, 5, 4, (2, 2), groups=19, bias=False), norm(19), False, (2, 2, 1, 2), input="sum",
                    output="c"),
        export.max_pool(2, 2, input="sum", output="d"),
        export.max_pool(2, 1, input="c", output="e"),
        export.double(input="e", output="f"),
        export.conv(conv(19, 19, 1, 3, (1, 1), groups=19), None, False, (0, 0, 1, 1), input="f", output="g"),
        export.max_pool(1, 2, input="g", output="h"),
        export.concatenate("c", "d", output="i"),
        export.conv(conv(38, 3, 3, 3, 3), None, True, (1, 1, 1, 1), input="i", output="j"),
        export.conv(conv(19, 3, 3, 3, (3, 3)), None, False, (1, 1, 1, 1), input="d", output="k"),
        export.conv(conv(19, 3, 4, 3, (3, 3)), None, False, (2, 1, 1, 1), input="h", output="l"),
        export.add("j", "k", True, output="m"),
        export.add("m", "l", True, output="n"),
    ],
}
CASES = [("filters", 13, 17), ("filters", 5, 6), ("filters", 8, 61), ("channels", 11, 9), ("channels", 4, 39),
         ("channels", 2, 27), ("others", 12, 20), ("others", 16, 12)]


def run(ops, pixels):
    tensors = {"x": pixels}
    for op in ops:
        first = tensors[op["inputs"][0]]
        if op["kind"] in (export.CONVOLUTION, export.DEPTHWISE):
            top, bottom, left, right = op["pad"]
            weights = torch.from_numpy(op["weights"].astype(numpy.float16).astype(numpy.float64))
            made = functional.conv2d(functional.pad(first, (left, right, top, bottom)), weights,
                                     torch.from_numpy(op["bias"]), op["stride"],
                                     groups=op["channels"] if op["kind"] == export.DEPTHWISE else 1)
        elif op["kind"] == export.MAX_POOL:
            made = functional.max_pool2d(first, op["size"])
        elif op["kind"] == export.DOUBLE:
            made = functional.interpolate(first, scale_factor=2, mode="nearest")
        elif op["kind"] == export.CONCATENATE:
            made = torch.cat([first, tensors[op["inputs"][1]]], 1)
        else:
            made = first + tensors[op["inputs"][1]]
        tensors[op["output"]] = functional.relu(made) if op.get("relu") else made
    return tensors[ops[-1]["output"]]


def main():
    export.write_model(os.path.join(HERE, "network_cases.gkm"), NETWORKS)
    with open(os.path.join(HERE, "network_cases.bin"), "wb") as file:
        for name, height, width in CASES:
            ops = NETWORKS[name]
            channels = ops[0]["channels"]
            numbers = numpy.arange(height * width * channels)
            pixels = (((37 * numbers + 11) % 101) / 50 - 1).reshape(1, height, width, channels)
            made = run(ops, torch.from_numpy(pixels).permute(0, 3, 1, 2))[0].permute(1, 2, 0).numpy()
            file.write(struct.pack("<16s5I", name.encode(), height, width, *made.shape))
            file.write(made.astype("<f4").tobytes())


main()
