#!/usr/bin/env bash
# Installs the packages of scripts/npm/package-lock.json outside the checkout, unless they are there, and prints the folder.
#   npm.sh         those of scripts/npm
#   npm.sh node    those of scripts/npm/node
set -euo pipefail
all=$(cd "$(dirname "$0")/npm" && pwd)
here=$all/${1:-.}

tools=${XDG_CACHE_HOME:-$HOME/.cache}/trysail/tools
lock=$(sha256sum <"$here/package-lock.json")
folder=$tools/npm-${lock:0:12}
if [[ ! -d $folder ]]; then
	# Made beside it and moved there when complete: one that was broken off is not taken for the whole.
	mkdir -p "$tools"
	making=$(mktemp -d "$folder.XXXXXX")
	trap 'rm -rf "$making"' EXIT
	cp "$here"/package.json "$here"/package-lock.json "$all"/.npmrc "$making"
	npm ci --prefix "$making" --ignore-scripts --loglevel error >&2
	mv -T "$making" "$folder" || [[ -d $folder ]] # somebody else may have been faster
fi
echo "$folder"
