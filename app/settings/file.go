package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"

	"apex-ai-proxy/proxy/prose"
)

const (
	folder   = "apex-ai-proxy"
	fileName = "settings.toml"
	header   = "# Settings of Apex AI Proxy. This file never contains tokens or keys; they are stored in the system keychain.\n\n"
)

// Path is where the settings file is on this platform.
func Path() string {
	return filepath.Join(xdg.ConfigHome, folder, fileName)
}

// Notice is something about the file that its owner should know and that did not keep
// it from being used.
type Notice struct {
	Line int // in the file, 0 when it is about the whole file
	Text prose.Text
}

// String is the notice as a sentence.
func (n Notice) String() string { return n.Told().String() }

// Told is the notice with its place.
func (n Notice) Told() prose.Text {
	if n.Line == 0 {
		return n.Text
	}
	return prose.New("settings file, line %d: %s", n.Line, n.Text)
}

// NewerError refuses a file that a newer program has written: saving over it would lose
// what this program cannot read.
type NewerError struct {
	Path           string
	Version, Known int
}

// Error is the refusal as a sentence.
func (e *NewerError) Error() string { return e.Told().String() }

// Told is the refusal as a sentence.
func (e *NewerError) Told() prose.Text {
	return prose.New("the settings file %s has format version %d, but this program supports only versions up to %d; update the program, or choose another file with --config",
		e.Path, e.Version, e.Known)
}

// Load reads the file at path, which is left as it is. A file that does not exist gives the
// defaults. One that is not TOML gives a *SyntaxError and the defaults. One with values of a
// wrong kind gives a *ValidationError that names them, and the settings are the file's with
// the defaults for these. Settings that were not all read from the file may replace it only
// after CopyAside. With any other error the settings are the defaults, and must not be saved
// over the file at all.
func Load(path string) (Settings, []Notice, error) { return current.load(path) }

func (f format) load(path string) (Settings, []Notice, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil, nil
	}
	if err != nil {
		return Default(), nil, prose.Errorf("read settings: %v", err)
	}
	s, notices, err := f.decode(data)
	var newer *NewerError
	var syntax *SyntaxError
	var invalid *ValidationError
	switch {
	case errors.As(err, &newer):
		newer.Path = path
	case errors.As(err, &syntax):
		syntax.Path = path
	case errors.As(err, &invalid):
		return s, notices, invalid
	case err != nil:
		err = prose.Errorf("read settings from %s: %v", path, err)
	}
	if err != nil {
		return Default(), nil, err
	}
	return s, notices, nil
}

// decode reads a document of this or an older version.
func (f format) decode(data []byte) (Settings, []Notice, error) {
	s, unknown, lines, err := f.decodeOver(Default(), data)
	return s, notices(unknown, lines), err
}

// decodeOver puts a document's values over those of s. It tells which of its keys are not
// known, in their order, and the lines of all unless the document had to be migrated: its owner does not
// know the rewritten one.
func (f format) decodeOver(s Settings, data []byte) (_ Settings, unknown []unknownKey, lines Lines, err error) {
	data = withoutMark(data)
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return Settings{}, nil, nil, newSyntaxError(data, err)
	}
	version, _ := doc["version"].(int64)
	if version > int64(f.version) {
		return Settings{}, nil, nil, &NewerError{Version: int(version), Known: f.version}
	}
	data, migrated, err := f.migrate(data, int(version))
	if err != nil {
		return Settings{}, nil, nil, err
	}
	if !migrated {
		lines = linesOf(data)
	}
	data, odd, err := withoutMisfits(data)
	if err != nil {
		return Settings{}, nil, nil, err
	}
	err = toml.Unmarshal(data, &s)
	s.Version = f.version
	if err == nil && len(odd.misfits.Problems) > 0 {
		err = &odd.misfits
	}
	slices.SortStableFunc(odd.unknown, func(a, b unknownKey) int { return lines.Of(a.field) - lines.Of(b.field) })
	return s, odd.unknown, lines, err
}

func asideName(path, what string, now time.Time) string {
	stamped := path + "." + what + "-" + now.UTC().Format("20060102-150405")
	aside := stamped
	for i := 2; exists(aside); i++ {
		aside = fmt.Sprintf("%s-%d", stamped, i)
	}
	return aside
}

// What CopyAside calls a copy.
const (
	Broken = "broken" // not all of it could be read
	Old    = "old"    // all of it could, but it was written by hand
)

// CopyAside keeps what is in the file as settings.toml.WHAT-TIME, for when it is to be
// replaced by settings that do not hold all that is in it. The result is the path of the
// copy, "" when there is no file.
func CopyAside(path, what string) (aside string, err error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	aside = asideName(path, what, time.Now())
	if err == nil {
		err = os.WriteFile(aside, data, 0o600)
	}
	if err != nil {
		return "", prose.Errorf("keep a copy of the old settings: %v", err)
	}
	return aside, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// Save writes s to path in one step: a reader, or a crash, sees the old file or the new
// one. File and folder are for their owner only. A symbolic link is followed, so that a
// file kept elsewhere stays there.
func Save(path string, s Settings) error {
	s.Version = current.version
	data, err := encode(s)
	if err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return prose.Errorf("save settings: %v", err)
	}
	tidy(path)
	if err := writeFile(path, data); err != nil {
		return prose.Errorf("save settings: %v", err)
	}
	return nil
}

// encode is the document of s.
func encode(s Settings) ([]byte, error) {
	var buf bytes.Buffer
	buf.WriteString(header)
	if err := toml.NewEncoder(&buf).Encode(s); err != nil {
		return nil, fmt.Errorf("encode settings: %w", err)
	}
	return buf.Bytes(), nil
}
