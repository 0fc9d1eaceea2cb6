#!/usr/bin/env bash
# Builds the program for every platform into dist/, with checksums: release.sh VERSION
set -euo pipefail

version=$1
out=$PWD/dist/$version
rm -rf "$out"
mkdir -p "$out"
for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64; do
	os=${platform%/*} arch=${platform#*/}
	name=trysail_${version}_${os}_${arch}
	[[ $os == windows ]] && name+=.exe
	echo "build $name"
	(cd server && CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath \
		-ldflags "-s -w -X main.version=$version" -o "$out/$name" ./cmd/trysail)
done
(cd "$out" && sha256sum trysail_* >SHA256SUMS)
echo "built dist/$version"
