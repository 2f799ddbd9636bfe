#!/usr/bin/env bash
# training_test.sh SOURCE BINARY: `./run train` in its short form. Both nets are trained for seconds on a little minted data
# and on crops of noise, the file that comes of it runs, and a second call goes on where the first ended. 77: no PyTorch.
set -euo pipefail
source=$1 programs=$2/bin
/usr/bin/python3 -c 'import torch, PIL' 2>/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

/usr/bin/python3 - "$work" <<'PYTHON'
import os, sys
import numpy
from PIL import Image

folder = os.path.join(sys.argv[1], "crops")
os.mkdir(folder)
with open(folder + ".tsv", "w", encoding="utf-8") as table:
    table.write("file\tdigits\n")
    for number, text in enumerate(["1234", "5_78", "9012"]):
        Image.fromarray(numpy.random.default_rng(number).integers(0, 255, (46, 120), numpy.uint8)).save("%s/%d.png" % (folder, number))
        table.write("%d.png\t%s\n" % (number, text))
PYTHON

train() {
    /usr/bin/python3 "$source/core/recognition/training/train.py" --programs "$programs" --work "$work" \
        --model "$work/reading.gkm" --real "$work/crops.tsv" --measure "$work/crops.tsv" --strips 400 --scenes 60 60 --minutes "$1"
}

steps() { tail -n 1 "$work/digits.log" | sed 's/.*"steps": \([0-9]*\).*/\1/'; }

die() {
    echo "training_test: $*" >&2
    exit 1
}

train 0.1
first=$(steps) minted=$(stat -c %Y "$work/strips-0.bin" "$work/scenes-1.raw")
[ "$first" -gt 0 ] || die "no step was made"
grep -q '"wrong": \[[0-9]*, [0-9]*\], "of": 3' "$work/digits.log" || die "the strips were not measured"
[ "$(stat -c %s "$work/reading.gkm")" -le 1000000 ] || die "the model file is larger than 1 MB"
"$programs/guika-measure-finder" "$work/reading.gkm" mint 1 >/dev/null || die "the model file does not run"

train 0.15
second=$(steps)
[ "$second" -gt "$first" ] || die "$second steps after $first: it did not go on"
[ "$minted" = "$(stat -c %Y "$work/strips-0.bin" "$work/scenes-1.raw")" ] || die "the data were minted again"
train 0.15
[ "$(steps)" = "$second" ] || die "a training that was over went on"
