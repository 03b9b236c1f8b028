package presenter

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestValue(t *testing.T) {
	const list, object = "[\n  {\n    \"k\": \"v\"\n  },\n  \"last\"\n]", "{\n  \"k\": \"v\"\n}"
	const body = `{"text":"a \"b\": c,\nd","n":-1.5e3,"none":null,"empty":{},"list":[{"k":"v"},"last"],"args":"{\"city\":\"Lisbon\"}","back\\":"x"}`
	for _, c := range []struct{ line, want string }{
		{`"text"`, "a \"b\": c,\nd"},
		{`"n"`, "-1.5e3"},
		{`"none"`, "null"},
		{`"empty"`, "{}"},
		{`"k"`, "v"},
		{`"last"`, "last"},
		{`"args"`, `{"city":"Lisbon"}`},
		{`"back`, "x"},
		{`"list"`, list},
		{"\n  ],", list},
		{"\n    {", object},
		{"\n    },", object},
	} {
		lines := linesOf([]byte(body), Pretty)
		at := slices.IndexFunc(lines, func(l Line) bool { return strings.Contains("\n"+l.Text, c.line) })
		if at < 0 {
			t.Fatalf("no line says %q:\n%s", c.line, marks(lines))
		}
		if got, ok := Value(lines, at); got != c.want || !ok {
			t.Errorf("%s: %q, %t, want %q", lines[at].Text, got, ok, c.want)
		}
	}
}

// Whatever line of whatever JSON it is, there is a value, and that of the first line is all of it.
func TestEveryLineHasAValue(t *testing.T) {
	for _, body := range []string{`{"a":{"b":[1,[2,3],{"c":"}"}]},"d":"]","e":[],"f":{"g":{}}}`, `["x",{"y":"{"}]`, `{}`, `1`} {
		lines := linesOf([]byte(body), Pretty)
		for i := range lines {
			if got, ok := Value(lines, i); !ok {
				t.Errorf("%s, line %d: %q", body, i, got)
			}
		}
		var got bytes.Buffer
		first, _ := Value(lines, 0)
		if err := json.Compact(&got, []byte(first)); err != nil || got.String() != body {
			t.Errorf("%s: all of it is %s, %v", body, first, err)
		}
	}
}

func TestValueOfOtherLines(t *testing.T) {
	for text, want := range map[string]string{ // of the last line; "" for none
		`data: {"a":"b"}`:                   `{"a":"b"}`,
		"event: x\ndata: \"x\\ty\"":         "x\ty",
		"event: message_start":              "",
		"data: [DONE]":                      "",
		"{\n\"a\": {\n\"b\": 1\n}\n}":       "", // not indented
		"{\n  \"a\": {\n    \"b\": 1\n  },": "{\n  \"b\": 1\n}",
		"{\n  \"a\": {":                     "", // cut
		"}":                                 "",
		"1\n}":                              "",
		`{"broken`:                          "",
		`"broken`:                           "",
		`"a":1,"b":2`:                       "",
	} {
		lines := linesOf([]byte(text), AsSent)
		if got, ok := Value(lines, len(lines)-1); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %q, %t", text, got, ok)
		}
	}
}

// What cannot be drawn is copied as it is.
func TestExactLines(t *testing.T) {
	lines := linesOf([]byte("a\tb\u202e\r\nplain\r\n"), AsSent)
	if lines[0].Text == lines[0].Exact() || lines[0].Exact() != "a\tb\u202e" || lines[1].Exact() != "plain" {
		t.Errorf("%q, %q", lines[0].Exact(), lines[1].Exact())
	}
}
