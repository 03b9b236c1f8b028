package ui

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"
)

// columnsOf measures in columns, of which East Asian characters take two.
func columnsOf(s string) float32 {
	n := 0
	for _, r := range s {
		n++
		if eastAsian(r) {
			n++
		}
	}
	return float32(n)
}

func TestWrapText(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		width float32
		want  []string
	}{
		"words":                     {"one two three", 8, []string{"one two", "three"}},
		"several spaces":            {"one   two", 4, []string{"one", "two"}},
		"own lines":                 {"a\n\nb", 8, []string{"a", "", "b"}},
		"a long word":               {"abcdefgh ij", 5, []string{"abcde", "fgh", "ij"}},
		"a hyphen is none":          {"ab claude-opus", 8, []string{"ab", "claude-o", "pus"}},
		"Chinese":                   {"打开控制台选择账户", 8, []string{"打开控制", "台选择账", "户"}},
		"no comma begins":           {"打开控制，选择账户", 8, []string{"打开控", "制，选择", "账户"}},
		"no full stop begins":       {"控制台中。", 8, []string{"控制台", "中。"}},
		"no quotation ends":         {"打开控制“设置”页", 9, []string{"打开控制", "“设置”页"}},
		"no bracket ends":           {"打开控（设置）", 8, []string{"打开控", "（设置）"}},
		"Latin stays whole":         {"打开 Cloudflare 控制台", 10, []string{"打开", "Cloudflare", "控制台"}},
		"between Latin and other":   {"用Claude模型", 8, []string{"用Claude", "模型"}},
		"an apostrophe is no break": {"aa Anthropic’s", 12, []string{"aa", "Anthropic’s"}},
		"no width yet":              {"one two three", 0, []string{"one two three"}},
		"nothing":                   {"", 8, []string{""}},
		"less than a character":     {"中文", 1, []string{"中", "文"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := wrapText(nil, c.text, c.width, columnsOf); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// Whatever the width, no character but a space is lost.
func FuzzWrapText(f *testing.F) {
	f.Add("打开 Cloudflare，选择 “账户”。 a-b", 7)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if !utf8.ValidString(text) || len(text) > 1000 {
			return
		}
		bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got := wrapText(nil, text, float32(width), columnsOf); bare(strings.Join(got, " ")) != bare(text) {
			t.Errorf("%q in %d columns becomes %q", text, width, got)
		}
	})
}

// A paragraph is as high as its rows, and says so when its width changes.
func TestParagraphHeight(t *testing.T) {
	test.NewTempApp(t)
	p := newParagraph(strings.Repeat("word ", 40))
	p.Resize(size(2000, 20))
	one := p.MinSize().Height
	p.Resize(size(200, 20))
	many := p.MinSize().Height
	if len(p.rows) < 5 || many < float32(len(p.rows))*one {
		t.Errorf("%d rows are %v high, one is %v", len(p.rows), many, one)
	}
	p.set("short", widget.DangerImportance)
	if got := p.MinSize().Height; got != one {
		t.Errorf("a short text is %v high", got)
	}
}

// Chinese is bold where it should be, and in a fixed-width face only beside what that has.
func TestDrawn(t *testing.T) {
	bold, mono := fyne.TextStyle{Bold: true}, fyne.TextStyle{Monospace: true}
	if got, twice := drawn("Models", bold); got != bold || twice {
		t.Errorf("Latin: %+v, twice %t", got, twice)
	}
	if got, twice := drawn("模型", bold); got.Bold == twice {
		t.Errorf("Chinese: %+v, twice %t", got, twice)
	}
	if got, twice := drawn("已 取消", mono); got.Monospace || twice {
		t.Errorf("Chinese alone: %+v, twice %t", got, twice)
	}
	if got, twice := drawn("200 完成", mono); got != mono || twice {
		t.Errorf("Chinese data: %+v, twice %t", got, twice)
	}
	if got, _ := drawn("gpt-5", mono); got != mono {
		t.Errorf("data: %+v", got)
	}
}
