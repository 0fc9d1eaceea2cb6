#!/usr/bin/env bash
# Statement coverage of the root package, which is the core. Fails under the floor.
set -euo pipefail

floor=97.0
profile=$(mktemp)
trap 'rm -f "$profile"' EXIT

go test -count=1 -coverprofile "$profile" . >/dev/null
total=$(go tool cover -func "$profile" | awk '$1 == "total:" { sub("%", "", $3); print $3 }')
echo "statement coverage of the core: $total % (floor $floor %)"
awk -v total="$total" -v floor="$floor" 'BEGIN { exit !(total >= floor) }' || {
	echo "coverage is under the floor; what is not covered:" >&2
	go tool cover -func "$profile" | awk '$3 != "100.0%"' >&2
	exit 1
}
