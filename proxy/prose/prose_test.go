package prose

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func upper(format string) string {
	return strings.NewReplacer("%S", "%s", "%D", "%d", "%Q", "%q", "%V", "%v").Replace(strings.ToUpper(format))
}

func TestText(t *testing.T) {
	inner := New("%d things", 3)
	for _, c := range []struct {
		text          Text
		said, foreign string
		ours          bool
	}{
		{Text{}, "", "", false},
		{New("plain"), "plain", "PLAIN", true},
		{New("%s and %q", "a", "b"), `a and "b"`, `a AND "b"`, true},
		{New("with %s", inner), "with 3 things", "WITH 3 THINGS", true},
		{New("%s: %s", "a", Verbatim("b")), "a: b", "a: b", false},
		{New("%s: %s", "a", inner), "a: 3 things", "a: 3 THINGS", true},
		{New("%s after %s", errors.New("x"), 90*time.Second), "x after 1m30s", "x AFTER 1m30s", true},
		{New("%v", Errorf("it broke: %v", errors.New("x"))), "it broke: x", "IT BROKE: x", true},
		{Verbatim("%s"), "%s", "%s", false},
		{Format("for %s").With("a"), "for a", "FOR a", true},
		{Format("for all").With("a"), "for all", "FOR ALL", true},
	} {
		if c.text.String() != c.said || c.text.In(upper) != c.foreign || c.text.Ours() != c.ours || c.text.Empty() != (c.said == "") {
			t.Errorf("%q is %q, %t, want %q, %q, %t", c.text, c.text.In(upper), c.text.Ours(), c.said, c.foreign, c.ours)
		}
	}
}

// What is hidden in the English sentence is hidden in every other.
func TestMap(t *testing.T) {
	hide := func(s string) string { return strings.ReplaceAll(s, "secret", "[hidden]") }
	for _, c := range []struct {
		text          Text
		said, foreign string
	}{
		{New("a %s", "secret"), "a [hidden]", "A [hidden]"},
		{New("a %s", New("b %s", "secret")), "a b [hidden]", "A B [hidden]"},
		{Verbatim("secret"), "[hidden]", "[hidden]"},
		{New("plain"), "plain", "PLAIN"},
		// Part of it is in the format, so the sentence is no longer taken apart.
		{New("sec%s", "ret"), "[hidden]", "[hidden]"},
		{New("a secret"), "a [hidden]", "a [hidden]"},
	} {
		got := c.text.Map(hide)
		if got.String() != c.said || got.In(upper) != c.foreign {
			t.Errorf("%q became %q, %q", c.text, got, got.In(upper))
		}
	}
}

func TestErrorWrapsItsCauses(t *testing.T) {
	cause := errors.New("x")
	err := Errorf("it broke: %v", cause)
	if !errors.Is(err, cause) || err.Error() != "it broke: x" || Of(err).In(upper) != "IT BROKE: x" || Of(cause).In(upper) != "x" {
		t.Errorf("%v", err)
	}
}

// TestSpan: times are written as in the settings.
func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5m", 2 * time.Hour: "2h", 90 * time.Second: "1m30s", 10 * time.Second: "10s",
		40 * time.Millisecond: "40ms", 3*time.Hour + 10*time.Minute: "3h10m",
	} {
		if got := Span(d); got != want {
			t.Errorf("%s: %s", d, got)
		}
	}
}
