#!/usr/bin/env bash
# Builds each module without the workspace, as its users do, and checks that its
# go.mod says what it needs.
set -euo pipefail

for module in "$@"; do
	echo "module $module by itself"
	(
		cd "$module"
		GOWORK=off go build ./...
		GOWORK=off go mod tidy -diff
	)
done
