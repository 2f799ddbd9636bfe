"""How far a training has come, kept with its weights, so that one that was interrupted goes on."""

import os
import time

import torch
from torch.optim.swa_utils import AveragedModel


class Checkpoint:
    """Time is the processor's, of this process: what a training becomes does not depend on what else the machine does."""

    def __init__(self, path, net, optimiser, minutes, average=None):
        """`average`, where one is taken: an AveragedModel of the net."""
        self.path, self.minutes = path, minutes
        self.parts = {"net": net, "optimiser": optimiser}
        if average:
            self.parts["average"] = average
        self.steps, before = 0, 0.0
        if os.path.exists(path):
            kept = torch.load(path)
            for name, part in self.parts.items():
                part.load_state_dict(kept[name])
            self.steps, before = kept["state"]["steps"], kept["state"]["seconds"]
        self._start = time.process_time() - before

    def seconds(self):
        return time.process_time() - self._start

    def share(self):
        """0 at the beginning, 1 when the minutes are over."""
        return self.seconds() / (self.minutes * 60)

    def save(self):
        """Whole or not at all."""
        kept = {name: part.state_dict() for name, part in self.parts.items()}
        kept["state"] = {"seconds": self.seconds(), "steps": self.steps}
        torch.save(kept, self.path + ".new")
        os.replace(self.path + ".new", self.path)


def load_net(path, net):
    """The weights of a checkpoint, for use: their average where one was taken."""
    kept = torch.load(path)
    if "average" not in kept:
        net.load_state_dict(kept["net"])
        return net.eval()
    average = AveragedModel(net, use_buffers=True)
    average.load_state_dict(kept["average"])
    return average.module.eval()
