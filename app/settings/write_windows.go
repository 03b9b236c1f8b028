package settings

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/windows"
)

// writeFile replaces a file through a synced temporary one beside it. The folder is in
// the user's profile, whose access list is what keeps others out.
func writeFile(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return replace(f.Name(), path)
}

// How long a file that another program has open is waited for. Virus scanners and indexers
// open what has just been written, and let go of it soon.
const (
	heldLimit = 2 * time.Second
	heldPause = 20 * time.Millisecond
)

// replace puts a file in the place of another.
func replace(from, to string) error {
	for limit := time.Now().Add(heldLimit); ; time.Sleep(heldPause) {
		err := os.Rename(from, to)
		if !held(err) || time.Now().After(limit) {
			return err
		}
	}
}

// held tells whether err can mean that another program has the file open.
func held(err error) bool {
	return errors.Is(err, windows.ERROR_SHARING_VIOLATION) || errors.Is(err, windows.ERROR_ACCESS_DENIED)
}
