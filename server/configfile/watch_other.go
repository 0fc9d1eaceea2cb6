//go:build !linux

package configfile

import "os"

// writers does not know: the same content must be seen twice.
func writers(*os.File) writing { return unknownWriter }
