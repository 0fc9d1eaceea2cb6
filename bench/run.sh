#!/usr/bin/env bash
# Measures beside other libraries and a bare reverse proxy, and prints a table with
# ratios: run.sh [ROUNDS]. Whole rounds are repeated, not single benchmarks, so that a
# load that comes and goes falls on all rows alike.
set -euo pipefail
cd "$(dirname "$0")"

rounds=${1:-6}
output=$(mktemp)
binary=$(mktemp)
trap 'rm -f "$output" "$binary"' EXIT

go test -c -o "$binary" .
for ((round = 1; round <= rounds; round++)); do
	echo "round $round of $rounds" >&2
	"$binary" -test.run '^$' -test.bench 'Closed|Open|Retry1|Parallel' -test.benchtime 200ms >>"$output"
	"$binary" -test.run '^$' -test.bench Gateway -test.benchtime 1s >>"$output"
done
go run ./cmd/table -format "${FORMAT:-text}" <"$output"
