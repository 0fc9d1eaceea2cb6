#!/usr/bin/env bash
# Looks for known vulnerabilities with govulncheck. The database comes from the
# network; where there is none, from a snapshot beside the checkout.
#   vuln.sh GOVULNCHECK MODULE...
set -euo pipefail

govulncheck=$1
shift
snapshot=../shared/vulndb.tar.xz
options=()
if [[ -f $snapshot ]]; then
	database=$(mktemp -d)
	trap 'rm -rf "$database"' EXIT
	tar -xJf "$snapshot" -C "$database"
	options=(-db "file://$(dirname "$(find "$database" -name index -type d | head -1)")")
fi
for module in "$@"; do
	echo "known vulnerabilities in module $module"
	(cd "$module" && "$govulncheck" "${options[@]}" ./...)
done
