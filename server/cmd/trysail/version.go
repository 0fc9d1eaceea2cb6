package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// version is set by the build: -ldflags "-X main.version=1.2.3".
var version = ""

type versionCmd struct{}

// Help is shown by "trysail version --help".
func (versionCmd) Help() string {
	return `Exit code: 0, or 1 if it cannot be written.`
}

// Run prints the version.
func (versionCmd) Run(p *program) error {
	_, err := fmt.Fprintf(p.stdout, "trysail %s (%s, %s/%s)\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// versionText is the release, or the commit that was built.
func versionText() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}
