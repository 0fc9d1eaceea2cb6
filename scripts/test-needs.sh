#!/usr/bin/env bash
# Installs what the tests need beyond Go, when it is missing.
#   gcc  the race detector's runtime is linked with it
set -euo pipefail

missing=()
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
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
