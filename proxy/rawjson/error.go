package rawjson

import (
	"errors"

	"apex-ai-proxy/proxy/prose"
)

// SyntaxError is JSON that cannot be read. Offset counts bytes from the start.
type SyntaxError struct {
	Offset int
	What   prose.Text
}

func (e *SyntaxError) Error() string { return e.Told().String() }

// Told is the error as a sentence.
func (e *SyntaxError) Told() prose.Text {
	return prose.New("invalid JSON at byte %d: %s", e.Offset, e.What)
}

// TypeError is well-formed JSON with a value of an unexpected kind at Path,
// which is written as in "messages[3].content[0].type".
type TypeError struct {
	Path      string
	Want, Got prose.Text
}

func (e *TypeError) Error() string { return e.Told().String() }

// Told is the error as a sentence.
func (e *TypeError) Told() prose.Text {
	if e.Path == "" {
		return prose.New("the body must be %s, not %s", e.Want, e.Got)
	}
	return prose.New("%s must be %s, not %s", e.Path, e.Want, e.Got)
}

// ErrNotObject is returned by the functions that look into objects only.
var ErrNotObject = errors.New("not a JSON object")
