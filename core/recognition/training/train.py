#!/usr/bin/python3
"""Rebuilds the model file from nothing: mints the data, trains both nets side by side, writes the model file.

    train.py --programs build/release/bin --work build/train --model core/recognition/models/reading.gkm

What is already in the work folder (minted data, checkpoints) is gone on with. Figures are printed as they come; those of
the 60th minute are in digits.log. On 2 cores it takes --minutes for the training and about 14 for minting. What a net gets
is counted in minutes of a core, so that a busy machine takes longer and comes to the same.
"""

import argparse
import os
import subprocess
import sys

import digits
import export
import finder
from checkpoint import load_net

HERE = os.path.dirname(os.path.abspath(__file__))
ON_TWO_CORES = 1.5  # minutes of a core that the digit net uses in a minute of both


def mint(options):
    """Minted data, once: each file is complete or absent."""
    both, scenes = range(2), options.scenes
    jobs = [("strips-%d.bin" % i, ["guika-mint-strips", None, str(options.strips), str(1000000 * (i + 1))]) for i in both]
    jobs += [("scenes-%d.raw" % i, ["guika-mint-scenes", str(i), str(scenes[i]), "1000"]) for i in both]
    jobs += [("held-%d.raw" % i, ["guika-mint-scenes", str(i), str(scenes[i] // 30), "900001"]) for i in both]
    for start in range(0, len(jobs), 2):
        running = []
        for name, command in jobs[start : start + 2]:
            path = os.path.join(options.work, name)
            if os.path.exists(path):
                continue
            command = [os.path.join(options.programs, command[0])] + [a or path + ".new" for a in command[1:]]
            out = None if "strips" in name else open(path + ".new", "wb")
            running.append((subprocess.Popen(command, stdout=out), path))
        for process, path in running:
            if process.wait() != 0:
                sys.exit("train: minting %s failed" % path)
            os.rename(path + ".new", path)


def train(options):
    """One core each for the first half; then the finder is done and the digit net has both."""
    at = lambda name: os.path.join(options.work, name)
    real = ["--real", options.real] if options.real else []
    measured = ["--measure", options.measure] if options.measure else []
    commands = {
        "digits": ["--pool", at("strips-0.bin"), at("strips-1.bin"), "--checkpoint", at("digits.pt"), "--minutes",
                   str(options.minutes / 2 * (1 + ON_TWO_CORES)), "--alone", str(options.minutes / 2)] + real + measured,
        "finder": [at("scenes-0.raw"), at("scenes-1.raw"), "--held", at("held-0.raw"), at("held-1.raw"), "--checkpoint",
                   at("finder.pt"), "--minutes", str(options.minutes / 2)],
    }
    running = {}
    for name, arguments in commands.items():
        log = open(at(name + ".log"), "a", encoding="utf-8")
        running[name] = subprocess.Popen([sys.executable, os.path.join(HERE, name + ".py")] + arguments, stdout=log,
                                         env=dict(os.environ, OMP_WAIT_POLICY="PASSIVE"))  # waiting is no work
    for name, process in running.items():
        if process.wait() != 0:
            sys.exit("train: %s.py failed; see %s" % (name, at(name + ".log")))


def write(options):
    net = load_net(os.path.join(options.work, "digits.pt"), digits.DigitNet())
    seer = load_net(os.path.join(options.work, "finder.pt"), finder.Finder())
    export.write_model(options.model, {"digits": digits.operations(net), "finder": finder.operations(seer)})
    print("wrote %s, %d bytes" % (options.model, os.path.getsize(options.model)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--real", help="strips/train.tsv of the study's corpus; without it minted strips alone")
    parser.add_argument("--measure", help="strips/dev.tsv: figures only")
    parser.add_argument("--minutes", type=float, default=80)
    parser.add_argument("--strips", type=int, default=100000, help="minted by each of two processes")
    parser.add_argument("--scenes", type=int, nargs=2, default=[14000, 12000], help="photographs, and cards that fill the frame")
    options = parser.parse_args()
    os.makedirs(options.work, exist_ok=True)
    mint(options)
    train(options)
    write(options)


if __name__ == "__main__":
    main()
