"""How far a training has come, kept with its weights, so that one that was interrupted goes on."""

import os
import time

import torch


class Checkpoint:
    """Time is the processor's, of this process: what a training becomes does not depend on what else the machine does."""

    def __init__(self, path, net, optimiser, minutes):
        self.path, self.net, self.optimiser, self.minutes = path, net, optimiser, minutes
        self.steps, before = 0, 0.0
        if os.path.exists(path):
            kept = torch.load(path)
            net.load_state_dict(kept["net"])
            optimiser.load_state_dict(kept["optimiser"])
            self.steps, before = kept["state"]["steps"], kept["state"]["seconds"]
        self._start = time.process_time() - before

    def seconds(self):
        return time.process_time() - self._start

    def share(self):
        """0 at the beginning, 1 when the minutes are over."""
        return self.seconds() / (self.minutes * 60)

    def save(self):
        """Whole or not at all."""
        state = {"seconds": self.seconds(), "steps": self.steps}
        kept = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict(), "state": state}
        torch.save(kept, self.path + ".new")
        os.replace(self.path + ".new", self.path)


def load_net(path, net):
    """The weights of a checkpoint, for use."""
    net.load_state_dict(torch.load(path)["net"])
    return net.eval()
