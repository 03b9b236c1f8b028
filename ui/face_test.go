package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
)

// A line in the fixed-width face is as high as Chinese beside it needs, or the part below its
// base line would be cut off.
func TestMonospaceHasRoomForOtherScripts(t *testing.T) {
	a := test.NewTempApp(t)
	mono := fyne.TextStyle{Monospace: true}
	a.Settings().SetTheme(theme.DefaultTheme())
	before, base := a.Driver().RenderedTextSize("{}", 100, mono, nil)
	a.Settings().SetTheme(Theme{})
	after, lower := a.Driver().RenderedTextSize("{}", 100, mono, nil)
	if after.Width != before.Width || after.Height < 144.8 || lower < 116 || lower <= base {
		t.Errorf("%v with its base at %v became %v at %v", before, base, after, lower)
	}
}

func TestFontsThatCannotBeRead(t *testing.T) {
	whole := theme.DefaultTheme().Font(fyne.TextStyle{Monospace: true}).Content()
	for _, n := range []int{0, 5, 12, 40, 200, len(whole) / 2} {
		if got := heightened(whole[:n], 1000, 300); len(got) != n {
			t.Errorf("%d bytes became %d", n, len(got))
		}
	}
}
