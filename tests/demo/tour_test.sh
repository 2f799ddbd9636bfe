#!/usr/bin/env bash
# Runs every line of the README's tour, in the order that a reader meets it, in a folder that holds the build as a clone does.
# usage: tour_test.sh SOURCE_DIR BINARY_DIR
set -euo pipefail
source_dir=$1
binary_dir=$2
place=$(mktemp -d /tmp/guika-tour-XXXXXX)
trap 'jobs -p | xargs -r kill 2>/dev/null; rm -rf "$place"' EXIT
mkdir "$place/build"
ln -s "$binary_dir" "$place/build/release"
cd "$place"

{
    echo 'set -euo pipefail -m'
    awk '/^```sh$/ { on = 1; next } /^```$/ { on = 0 } on' "$source_dir/README.md" |
        # What the reader is told to see is looked for before the tour tidies up.
        sed 's|^kill %1|mails=$(ls tour/outgoing/new \| wc -l); guika found list --config tour/operator.conf > found.txt\n&|'
    echo 'test "$mails" -eq 3'
    echo 'grep -q NOTIFIED found.txt'
} >tour.sh
bash tour.sh
test ! -e tour
echo "the tour works"
