#!/usr/bin/env bash
# Measures "trysail serve" beside a bare reverse proxy, a plain forwarder and the provider itself, prints tables and writes them into
# docs/reference/performance-gateway.md: run-gateway.sh [ROUNDS]. Whole rounds are repeated, and in each the order turns, so that a load
# that comes and goes falls on all rows alike. A benchmark that fails ends everything, and the page stays as it is.
set -euo pipefail
cd "$(dirname "$0")"

rounds=${1:-6}
page=../docs/reference/performance-gateway.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
binary=$work/bench.test output=$work/output table=$work/table

go build -o "$table" ./cmd/table
go test -c -o "$binary" ./gateway
# Built as "make build" does.
(cd ../server && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o "$work/trysail" ./cmd/trysail)
export TRYSAIL_BENCH_PROGRAM=$work/trysail

# The facts that the figures belong to. The page itself is no change: the run before wrote it.
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
if [[ -n $(git status --porcelain -- .. ":!$page" 2>/dev/null) ]]; then
	commit+=" + changes"
fi
cat >"$output" <<END
date: $(date -u +%F)
commit: $commit
go: $(go env GOVERSION)
processors: $(nproc)
load: $(cut -d' ' -f1 /proc/loadavg)
END

measure() { # PATTERN TIME
	"$binary" -test.run '^$' -test.bench "$1" -test.benchtime "$2" >>"$output" || {
		"$table" -goals gateway <"$output" >/dev/null || true # it says where and why
		echo "run-gateway.sh: benchmarks $1 failed" >&2
		return 1
	}
}

for ((round = 0; round < rounds; round++)); do
	echo "round $((round + 1)) of $rounds, load $(cut -d' ' -f1 /proc/loadavg)" >&2
	export TRYSAIL_BENCH_ROUND=$round
	measure 'Plain|Stream' 1s
	measure 'Start' 3x
	measure 'Open' 1x
done
"$table" -goals gateway -page "$page" <"$output"
