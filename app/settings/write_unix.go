//go:build !windows

package settings

import (
	"errors"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// writeFile does not use renameio.WriteFile, which would keep the mode of a file that
// others may read, nor a temporary file elsewhere, where Tidy does not look.
func writeFile(path string, data []byte) (err error) {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithStaticPermissions(0o600))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Cleanup()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.CloseAtomicallyReplace()
}
