#!/usr/bin/env bash
# Runs every fuzz target for a while: fuzz.sh TIME MODULE...
set -euo pipefail

time=$1
shift
for module in "$@"; do
	(
		cd "$module"
		for dir in $(go list -f '{{.Dir}}' ./...); do
			cd "$dir"
			for target in $(go test -list '^Fuzz' . | grep '^Fuzz' || true); do
				echo "fuzz $dir $target for $time"
				go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" .
			done
		done
	)
done
