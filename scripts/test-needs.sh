#!/usr/bin/env bash
# Installs what the tests need beyond Go, when it is missing.
#   gcc       the race detector's runtime is linked with it
#   curl      the commands of the specification are run as they are printed
#   npm       the OpenAPI document is linted with a package of npm, and the SDKs for Node ask through the gateway. Its Node.js may be
#             too old for that: scripts/node.sh has another
#   chromium  the documentation page is looked at in a browser
set -euo pipefail

missing=()
need() { # need COMMAND PACKAGE...
	command -v "$1" >/dev/null || missing+=("${@:2}")
}
need gcc gcc libc6-dev
need curl curl
need node nodejs npm
need npm nodejs npm
need chromium chromium fonts-liberation
if ((${#missing[@]} == 0)); then
	exit 0
fi
echo "installing ${missing[*]}"
if ! command -v apt-get >/dev/null; then
	echo "this machine has no apt-get: please install ${missing[*]} by hand" >&2
	exit 1
fi
as_root=()
[[ $(id -u) == 0 ]] || as_root=(sudo)
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -yq --no-install-recommends "${missing[@]}"
