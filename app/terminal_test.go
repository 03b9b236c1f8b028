package app

import (
	"bytes"
	"errors"
	"testing"
)

func TestTerminal(t *testing.T) {
	for in, want := range map[string]string{
		"plain\ttext\nä 日本 😀 � \"quoted\" back\\slash\n": "plain\ttext\nä 日本 😀 � \"quoted\" back\\slash\n",
		"a\x1b[31mb\x07":               `a\x1b[31mb\a`,
		"a\r\nb\x00\x7f":               `a\r` + "\n" + `b\x00\x7f`,
		"\u009b31m\u2028\u202e\u200bx": `\u009b31m\u2028\u202e\u200bx`,
		"\xff\xc2":                     `\xff\xc2`,
		"":                             "",
	} {
		var b bytes.Buffer
		n, err := terminal{&b}.Write([]byte(in))
		if n != len(in) || err != nil || b.String() != want {
			t.Errorf("%q: %d, %v, %q", in, n, err, b.String())
		}
	}
	for _, in := range []string{"x", "\x1b"} {
		if _, err := (terminal{failing{}}).Write([]byte(in)); err == nil {
			t.Errorf("%q: the error is lost", in)
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("full") }
