#!/usr/bin/env bash
# Installs the packages of scripts/npm/package-lock.json outside the checkout, unless they are there, and prints the folder.
set -euo pipefail
here=$(cd "$(dirname "$0")/npm" && pwd)

if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || major == 20 && minor >= 19 ? 0 : 1)'; then
	echo "node --version is $(node --version 2>&1), want 20.19 or later, which the packages need" >&2
	exit 1
fi
tools=${XDG_CACHE_HOME:-$HOME/.cache}/trysail/tools
lock=$(sha256sum <"$here/package-lock.json")
folder=$tools/npm-${lock:0:12}
if [[ ! -d $folder ]]; then
	# Made beside it and moved there when complete: one that was broken off is not taken for the whole.
	mkdir -p "$tools"
	making=$(mktemp -d "$folder.XXXXXX")
	trap 'rm -rf "$making"' EXIT
	cp "$here"/package.json "$here"/package-lock.json "$here"/.npmrc "$making"
	npm ci --prefix "$making" --loglevel error >&2
	mv -T "$making" "$folder" || [[ -d $folder ]] # somebody else may have been faster
fi
echo "$folder"
