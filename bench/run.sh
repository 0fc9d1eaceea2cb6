#!/usr/bin/env bash
# Measures beside other libraries, prints tables with ratios and writes
# them into docs/reference/performance.md: run.sh [ROUNDS]. Whole rounds are repeated, not single
# benchmarks, so that a load that comes and goes falls on all rows alike. A benchmark that fails
# ends everything, and the page stays as it is.
set -euo pipefail
cd "$(dirname "$0")"

rounds=${1:-6}
page=../docs/reference/performance.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
binary=$work/bench.test output=$work/output table=$work/table

go build -o "$table" ./cmd/table
go test -c -o "$binary" .

# The facts that the figures belong to. The page itself is no change: the run before wrote it.
commit=$(git rev-parse --short HEAD 2>/dev/null || echo unknown)
if [[ -n $(git status --porcelain -- .. ":!$page" 2>/dev/null) ]]; then
	commit+=" + changes"
fi
# Named are the direct requirements, with the versions that the workspace selects for them.
modules=$(GOWORK=off go list -m -f '{{if not (or .Main .Indirect .Replace)}}{{.Path}}{{end}}' all)
libraries=$(go list -m -f '{{.Path}} {{.Version}}' $modules | paste -sd, | sed 's/,/, /g')
cat >"$output" <<END
date: $(date -u +%F)
commit: $commit
go: $(go env GOVERSION)
processors: $(nproc)
load: $(cut -d' ' -f1 /proc/loadavg)
libraries: $libraries
END

measure() { # PATTERN TIME
	"$binary" -test.run '^$' -test.bench "$1" -test.benchtime "$2" >>"$output" || {
		"$table" <"$output" >/dev/null || true # it says where and why
		echo "run.sh: benchmarks $1 failed" >&2
		return 1
	}
}

for ((round = 1; round <= rounds; round++)); do
	echo "round $round of $rounds" >&2
	measure 'Closed|Open|Retry1|Parallel|Everything|Limiter|Bulkhead' 200ms
	measure 'Preset|Validate|LoadEnvironment|Reload|Record|Export|Health' 200ms
	measure Memory 1x
done
"$table" -page "$page" <"$output"
