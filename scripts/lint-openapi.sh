#!/usr/bin/env bash
# Lints the OpenAPI document of the internal API with Redocly. The document is the one of the golden file, which a test
# holds against the one that is served.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(./scripts/npm.sh)
node=$(./scripts/node.sh)
PATH=$node:$PATH
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
node -e 'process.stdout.write(JSON.stringify(JSON.parse(require("fs").readFileSync(0, "utf8")).body))' \
	<server/api/testdata/openapi.json >"$work/openapi.json"
export REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true
# What it says of a clean document is only how long that took, and which Node.js it would rather have.
if ! node "$folder/node_modules/@redocly/cli/bin/cli.js" lint --config scripts/npm/redocly.yaml "$work/openapi.json" &>"$work/findings"; then
	cat "$work/findings" >&2
	exit 1
fi
echo "the OpenAPI document is clean"
