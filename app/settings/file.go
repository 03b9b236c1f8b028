package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/adrg/xdg"
	"github.com/pelletier/go-toml/v2"
)

const (
	folder   = "apex-ai-proxy"
	fileName = "settings.toml"
	header   = "# Settings of Apex AI Proxy. Tokens and keys are never kept here; they are in the system's keychain.\n\n"
)

// Path is where the settings file is on this platform.
func Path() string {
	return filepath.Join(xdg.ConfigHome, folder, fileName)
}

// Notice is something about the file that its owner should know and that did not keep
// it from being used.
type Notice struct {
	Line int // in the file, 0 when it is about the whole file
	Text string
}

// String is the notice as a sentence.
func (n Notice) String() string {
	if n.Line == 0 {
		return n.Text
	}
	return fmt.Sprintf("line %d: %s", n.Line, n.Text)
}

// NewerError refuses a file that a newer program has written: saving over it would lose
// what this program cannot read.
type NewerError struct {
	Path           string
	Version, Known int
}

// Error is the refusal as a sentence.
func (e *NewerError) Error() string {
	return fmt.Sprintf("the settings file %s has format version %d, this program knows versions up to %d; update the program or name another file with --config",
		e.Path, e.Version, e.Known)
}

// Load reads the file at path. A file that does not exist gives the defaults. One that
// is not TOML is renamed to settings.toml.broken-TIME, so that nothing in it is lost, and
// gives the defaults and a notice. One with values of a wrong kind stays where it is: a
// *ValidationError names them, and the settings are the file's with the defaults in their
// place. With any other error the settings are the defaults, and must not be saved over
// the file.
func Load(path string) (Settings, []Notice, error) {
	return current.load(path, time.Now)
}

func (f format) load(path string, now func() time.Time) (Settings, []Notice, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Default(), nil, nil
	}
	if err != nil {
		return Default(), nil, fmt.Errorf("read settings: %w", err)
	}
	s, notices, err := f.decode(data)
	var newer *NewerError
	var invalid *ValidationError
	switch {
	case errors.As(err, &newer):
		newer.Path = path
		return Default(), nil, newer
	case errors.As(err, &invalid):
		return s, notices, invalid
	case err != nil:
		n, moveErr := keepAside(path, now(), err)
		return Default(), n, moveErr
	}
	return s, notices, nil
}

// decode reads a document of this or an older version.
func (f format) decode(data []byte) (Settings, []Notice, error) {
	s, unknown, rewritten, err := f.decodeOver(Default(), data)
	return s, unknownKeys(unknown, rewritten), err
}

// decodeOver puts a document's values over those of s. It tells which of its keys are not
// known, and whether their places in the document still mean something to its owner.
func (f format) decodeOver(s Settings, data []byte) (_ Settings, unknown *toml.StrictMissingError, rewritten bool, err error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")) // editors on Windows
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return Settings{}, nil, false, err
	}
	version, _ := doc["version"].(int64)
	if version > int64(f.version) {
		return Settings{}, nil, false, &NewerError{Version: int(version), Known: f.version}
	}
	data, migrated, err := f.migrate(data, int(version))
	if err != nil {
		return Settings{}, nil, false, err
	}
	data, invalid, err := withoutMisfits(data)
	if err != nil {
		return Settings{}, nil, false, err
	}

	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	err = d.Decode(&s)
	if errors.As(err, &unknown) {
		err = nil
	}
	s.Version = f.version
	if err == nil && invalid != nil {
		err = invalid
	}
	return s, unknown, migrated || invalid != nil, err
}

func unknownKeys(e *toml.StrictMissingError, migrated bool) []Notice {
	if e == nil {
		return nil
	}
	var out []Notice
	for i := range e.Errors {
		key := e.Errors[i].Key()
		n := Notice{Text: fmt.Sprintf("%q is not a setting; it is ignored", strings.Join(key, "."))}
		if looksSecret(key) {
			n.Text += ". Secrets do not belong in this file: use the keychain or the environment"
		}
		if !migrated { // line numbers of a rewritten document mean nothing to its owner
			n.Line, _ = e.Errors[i].Position()
		}
		out = append(out, n)
	}
	return out
}

func looksSecret(key []string) bool {
	last := strings.ToLower(strings.Join(key, "."))
	for _, word := range []string{"token", "secret", "password", "api_key", "apikey", "local_key"} {
		if strings.Contains(last, word) {
			return true
		}
	}
	return false
}

// keepAside moves a broken file out of the way and says so. When it cannot be moved the
// error keeps it from being written over.
func keepAside(path string, now time.Time, cause error) ([]Notice, error) {
	why := strings.TrimPrefix(cause.Error(), "toml: ")
	n := Notice{}
	var at *toml.DecodeError
	if errors.As(cause, &at) {
		n.Line, _ = at.Position()
	}
	aside := asideName(path, now)
	if err := os.Rename(path, aside); err != nil {
		return nil, fmt.Errorf("the settings file cannot be understood (%s) nor kept aside: %w", why, err)
	}
	n.Text = fmt.Sprintf("the settings file cannot be understood (%s); it is kept as %s and the defaults are used", why, aside)
	return []Notice{n}, nil
}

func asideName(path string, now time.Time) string {
	stamped := path + ".broken-" + now.UTC().Format("20060102-150405")
	aside := stamped
	for i := 2; exists(aside); i++ {
		aside = fmt.Sprintf("%s-%d", stamped, i)
	}
	return aside
}

// CopyAside keeps what is in the file as settings.toml.broken-TIME, for when it is to be
// replaced by settings that were not all read from it.
func CopyAside(path string) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = os.WriteFile(asideName(path, time.Now()), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the old settings aside: %w", err)
	}
	return nil
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
		return fmt.Errorf("save settings: %w", err)
	}
	if err := writeFile(path, data); err != nil {
		return fmt.Errorf("save settings: %w", err)
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
