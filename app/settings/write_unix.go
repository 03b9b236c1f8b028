//go:build !windows

package settings

import (
	"errors"

	"github.com/google/renameio/v2"
)

// writeFile does not use renameio.WriteFile, which would keep the mode of a file that
// others may read.
func writeFile(path string, data []byte) (err error) {
	f, err := renameio.NewPendingFile(path, renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Cleanup()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
