package settings

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// staleAge is how old a temporary file must be to be taken for one of a save that crashed.
// Another process may be saving too, and no save takes as long.
const staleAge = time.Minute

// Tidy removes what saves to path have left beside it because the program was killed. What
// cannot be removed stays: it is in nobody's way.
func Tidy(path string) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	tidy(path)
}

func tidy(path string) {
	dir, base := filepath.Split(path)
	list, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return
	}
	for _, e := range list {
		info, err := e.Info()
		if err == nil && info.Mode().IsRegular() && temporary(e.Name(), base) && time.Since(info.ModTime()) > staleAge {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// temporary tells whether writeFile may have given a file this name while it wrote base.
func temporary(name, base string) bool {
	number, ok := strings.CutPrefix(name, "."+base)
	return ok && number != "" && strings.Trim(number, "0123456789") == ""
}
