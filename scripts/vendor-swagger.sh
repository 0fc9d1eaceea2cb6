#!/usr/bin/env bash
# Copies the files of Swagger UI that the documentation page needs from the npm package of scripts/npm/package-lock.json
# to server/api/docs/swagger-ui, compressed, and records their checksums.
#   vendor-swagger.sh         copy them
#   vendor-swagger.sh check   fail if what is there differs from the package
set -euo pipefail
cd "$(dirname "$0")/.."

into=server/api/docs/swagger-ui
package=$(./scripts/npm.sh)/node_modules/swagger-ui-dist
compressed=(swagger-ui-bundle.js swagger-ui.css)
plain=(LICENSE NOTICE swagger-ui-bundle.js.LICENSE.txt)

case ${1:-copy} in
copy)
	mkdir -p "$into"
	for file in "${compressed[@]}"; do
		gzip -9nc "$package/$file" >"$into/$file.gz"
	done
	for file in "${plain[@]}"; do
		cp "$package/$file" "$into"
	done
	(cd "$package" && sha256sum "${compressed[@]}" "${plain[@]}") >"$into/SHA256SUMS"
	;;
check)
	# The checksums are of the files as they are in the package: what gzip makes of them differs from version to version.
	if ! (cd "$package" && sha256sum --quiet --check) <"$into/SHA256SUMS"; then
		echo "$into is not what the package has: run scripts/vendor-swagger.sh" >&2
		exit 1
	fi
	;;
*)
	echo "vendor-swagger.sh: unknown argument $1, want none or check" >&2
	exit 2
	;;
esac
