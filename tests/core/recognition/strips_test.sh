#!/usr/bin/env bash
# strips_test.sh SOURCE BINARY: of the study's 118 real strips, which no training saw, at most 3 are read wrongly. 77: they are
# not there.
set -euo pipefail
table=$1/../shared/corpus/strips/dev.tsv
[ -f "$table" ] || exit 77
result=$("$2/bin/guika" corpus --strips "$table")
echo "$result"
exact=$(echo "$result" | sed -n 's/^118 strips, \([0-9]*\) exact;.*/\1/p')
[ "${exact:-0}" -ge 115 ]
