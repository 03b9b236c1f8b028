// Package prose holds sentences for people apart from the values in them.
//
// The core says everything in English, and a program that shows it may say it in another
// language: the format is the key of a sentence, and the values are its parameters. Whatever
// came from somewhere else, such as an upstream's own words, stays as it came.
package prose

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Text is something said to people. Its zero value says nothing.
type Text struct {
	said   string // in English
	format string // "" when the words are not ours
	args   []any  // strings, whole numbers and Texts
}

// New is a sentence of ours. The format is written out where it is used, as that is where
// the list of all sentences is taken from; a function that hands its own parameter on must
// call it format.
func New(format string, args ...any) Text {
	if len(args) == 0 {
		return Text{said: format, format: format}
	}
	t := Text{said: fmt.Sprintf(format, args...), format: format, args: make([]any, len(args))}
	for i, a := range args {
		t.args[i] = plain(a)
	}
	return t
}

// Format is a sentence of ours whose values are not known yet, for tables.
type Format string

// With is the sentence with its values. Those that it has no place for are left out.
func (f Format) With(args ...any) Text {
	return New(string(f), args[:min(len(args), strings.Count(string(f), "%"))]...)
}

// Verbatim is what somebody else said.
func Verbatim(s string) Text { return Text{said: s} }

// Teller is an error, or any other value, that can be told in other languages.
type Teller interface{ Told() Text }

// Of is the text of an error: its own when it has one.
func Of(err error) Text {
	if t, ok := err.(Teller); ok { // not As: what wraps it says more
		return t.Told()
	}
	return Verbatim(err.Error())
}

// plain is a value without anything that could change.
func plain(a any) any {
	switch a := a.(type) {
	case Text:
		return a
	case Teller:
		return a.Told()
	case error:
		return a.Error()
	case time.Duration:
		return a.String()
	case fmt.Stringer:
		return a.String()
	default:
		return a
	}
}

// String is the text in English.
func (t Text) String() string { return t.said }

// Empty tells whether there is nothing to say.
func (t Text) Empty() bool { return t.said == "" }

// Format is the sentence without its values, "" when the words are not ours.
func (t Text) Format() Format { return Format(t.format) }

// Ours tells whether there are words of ours in it, and not only somebody else's.
func (t Text) Ours() bool {
	if strings.ContainsFunc(verb.ReplaceAllString(t.format, ""), unicode.IsLetter) {
		return true
	}
	return slices.ContainsFunc(t.args, func(a any) bool {
		inner, ok := a.(Text)
		return ok && inner.Ours()
	})
}

// verb is the place of a value in a format.
var verb = regexp.MustCompile(`%(\[\d+\])?[a-z]`)

// In is the text in another language, given what a format is in it.
func (t Text) In(translate func(format string) string) string {
	if t.format == "" {
		return t.said
	}
	format := translate(t.format)
	if len(t.args) == 0 {
		return format
	}
	args := slices.Clone(t.args)
	for i, a := range args {
		if inner, ok := a.(Text); ok {
			args[i] = inner.In(translate)
		}
	}
	return fmt.Sprintf(format, args...)
}

// Map changes every value and every word of somebody else's, as to hide what is secret. A
// text of which that changes more than its values is no sentence of ours any more.
func (t Text) Map(change func(string) string) Text {
	whole := change(t.said)
	if t.format == "" {
		return Verbatim(whole)
	}
	if len(t.args) == 0 {
		if whole != t.said {
			return Verbatim(whole)
		}
		return t
	}
	args := slices.Clone(t.args)
	for i, a := range args {
		switch a := a.(type) {
		case string:
			args[i] = change(a)
		case Text:
			args[i] = a.Map(change)
		}
	}
	if out := New(t.format, args...); out.said == whole {
		return out
	}
	return Verbatim(whole)
}

// Error is an error that is a sentence.
type Error struct {
	text  Text
	cause []error
}

// Errorf is an error with a sentence of ours, which wraps the errors among the values.
func Errorf(format string, args ...any) *Error {
	e := &Error{text: New(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.cause = append(e.cause, err)
		}
	}
	return e
}

// Error is the sentence in English.
func (e *Error) Error() string { return e.text.said }

// Told is the sentence.
func (e *Error) Told() Text { return e.text }

// Unwrap are the errors among its values.
func (e *Error) Unwrap() []error { return e.cause }

// Span is a time as people write it: 5m rather than 5m0s.
func Span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
