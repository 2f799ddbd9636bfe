"""Writes trained networks into a model file (core/recognition/network.h describes it).

A network is a list of operations in the order of their running. Each names the tensors that it reads and the one
that it makes; "x" is the network's input, and the last operation makes its output:

    write_model("reading.gkm", {"digits": [
        conv(net.conv1, net.norm1, relu=True, input="x", output="a"),
        max_pool(2, 1, input="a", output="b"),
        conv(net.conv2, input="b", output="c"),
    ]})

Weights are rounded to IEEE halves.
"""
import struct

import numpy

CONVOLUTION, DEPTHWISE, MAX_POOL, DOUBLE, CONCATENATE, ADD = range(1, 7)


def _array(tensor):
    return tensor.detach().cpu().numpy().astype(numpy.float64)


def folded(module, norm=None):
    """Weights [out, in, height, width] and bias [out] of a Conv2d with the BatchNorm2d after it (its running
    statistics) folded in."""
    weights = _array(module.weight)
    bias = _array(module.bias) if module.bias is not None else numpy.zeros(len(weights))
    if norm is not None:
        scale = _array(norm.weight) / numpy.sqrt(_array(norm.running_var) + norm.eps)
        weights = weights * scale[:, None, None, None]
        bias = (bias - _array(norm.running_mean)) * scale + _array(norm.bias)
    return weights, bias


def conv(module, norm=None, relu=False, pad=None, *, input, output):
    """A Conv2d: groups of 1, or one for each channel (depthwise). `pad` is (top, bottom, left, right) where it is
    not the module's own padding."""
    if pad is None:
        if isinstance(module.padding, str):
            raise ValueError("give pad=(top, bottom, left, right) for padding=%r" % module.padding)
        y, x = module.padding
        pad = (y, y, x, x)
    if tuple(module.dilation) != (1, 1) or module.padding_mode != "zeros":
        raise ValueError("only undilated convolutions with zeros around")
    depthwise = module.groups != 1
    if depthwise and not module.groups == module.in_channels == module.out_channels:
        raise ValueError("groups are 1 or one for each channel")
    weights, bias = folded(module, norm)
    return {"kind": DEPTHWISE if depthwise else CONVOLUTION, "relu": relu, "inputs": [input], "output": output,
            "weights": weights, "bias": bias, "stride": tuple(module.stride), "pad": tuple(pad),
            "channels": module.in_channels}


def max_pool(height, width, *, input, output):
    return {"kind": MAX_POOL, "inputs": [input], "output": output, "size": (height, width)}


def double(*, input, output):
    """Nearest upsampling by 2."""
    return {"kind": DOUBLE, "inputs": [input], "output": output}


def concatenate(first, second, *, output):
    return {"kind": CONCATENATE, "inputs": [first, second], "output": output}


def add(first, second, relu=False, *, output):
    return {"kind": ADD, "relu": relu, "inputs": [first, second], "output": output}


def _halves(weights):
    halves = weights.astype("<f2")
    if not numpy.isfinite(halves).all():
        raise ValueError("a weight is too large for a half: %g" % numpy.abs(weights).max())
    return halves


def _filter(op):
    height, width = op["weights"].shape[2:]
    order = (2, 3, 1, 0)  # to [height][width][in][out]; a depthwise filter has one input channel: [..][1][channels]
    return (struct.pack("<8BH", height, width, *op["stride"], *op["pad"], len(op["bias"]))
            + _halves(op["weights"].transpose(order)).tobytes() + op["bias"].astype("<f4").tobytes())


def _network(ops):
    numbers = {"x": 0}
    input_channels = next(op["channels"] for op in ops if op["inputs"] == ["x"] and "channels" in op)
    body = struct.pack("<HH", input_channels, len(ops))
    for index, op in enumerate(ops):
        inputs = [numbers[name] for name in op["inputs"]]
        body += struct.pack("<BBHH", op["kind"], bool(op.get("relu")), inputs[0], inputs[1] if len(inputs) > 1 else 0)
        if op["kind"] in (CONVOLUTION, DEPTHWISE):
            body += _filter(op)
        elif op["kind"] == MAX_POOL:
            body += struct.pack("<BB", *op["size"])
        if op["output"] in numbers:
            raise ValueError("%s is made twice" % op["output"])
        numbers[op["output"]] = index + 1
    return body


def write_model(path, networks):
    """`networks`: operations by name (at most 15 ASCII characters)."""
    data = b"GKM1" + struct.pack("<I", len(networks))
    for name, ops in networks.items():
        body = _network(ops)
        if not 0 < len(name.encode("ascii")) < 16:
            raise ValueError("a name has 1 to 15 characters: %r" % name)
        data += struct.pack("<16sI", name.encode("ascii"), len(body)) + body
    with open(path, "wb") as file:
        file.write(data)
