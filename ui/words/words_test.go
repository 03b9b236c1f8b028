package words_test

import (
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fyne.io/fyne/v2/lang"

	"apex-ai-proxy/app/client"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/ui/words"
)

var update = flag.Bool("update", false, "write the English texts that the program uses to translations/en")

// used are the texts that the user interface asks for, with the place of one use.
func used(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			if x, ok := f.X.(*ast.Ident); !ok || x.Name != "words" || f.Sel.Name != "T" && f.Sel.Name != "F" {
				return true
			}
			lit, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: a text that is put together cannot be translated; write it out", set.Position(call.Pos()))
				return true
			}
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				return err == nil
			}
			if place := set.Position(lit.Pos()).String(); texts[text] == "" || place < texts[text] {
				texts[text] = place
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	addCore(t, texts)
	for _, text := range client.Prose() {
		if texts[text] == "" {
			texts[text] = "app/client/client-setup.go"
		}
	}
	for _, text := range probe.Prose() {
		if texts[text] == "" {
			texts[text] = "proxy/probe/gateway-test.go"
		}
	}
	for _, text := range toolkit {
		if texts[text] == "" {
			texts[text] = "toolkit.go"
		}
	}
	return texts
}

// toolkit are the texts of Fyne's own menus and dialogs, which would otherwise stay in the
// system's language when another one is chosen.
var toolkit = []string{
	"Advanced", "Cancel", "Confirm", "Copy", "Create Folder", "Cut", "Enter filename", "Error", "Favourites", "File", "Folder",
	"New Folder", "No", "OK", "Open", "Paste", "Quit", "Redo", "Save", "Select all", "Show Hidden Files", "Undo", "Yes",
	"file.name", "file.parent",
	// Places, which Fyne names in English only.
	"App Files", "Computer", "Desktop", "Documents", "Downloads", "Home", "Music", "Pictures", "Videos",
}

// toolkitKeys are the texts of Fyne's that have keys of their own.
var toolkitKeys = map[string]string{"file.name": "Name", "file.parent": "Parent"}

// english is what a text says in English.
func english(text string) string {
	if said, ok := toolkitKeys[text]; ok {
		return said
	}
	return text
}

// file are all texts of a language.
func file(t *testing.T, tag string) map[string]string {
	t.Helper()
	m, from := map[string]string{}, map[string]string{}
	list, err := filepath.Glob(filepath.Join("translations", tag, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		part := map[string]string{}
		if err := json.Unmarshal(data, &part); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for text, s := range part {
			if from[text] != "" {
				t.Errorf("%q is in %s and in %s", text, from[text], name)
			}
			m[text], from[text] = s, name
		}
	}
	return m
}

var values = regexp.MustCompile(`\{\{[^}]*\}\}`)

func valuesIn(s string) []string {
	v := values.FindAllString(s, -1)
	slices.Sort(v)
	return v
}

// TestTranslations sees to it that every text is there in every language, with its values.
func TestTranslations(t *testing.T) {
	texts := used(t)
	if *update {
		writeEnglish(t, texts)
	}
	for _, l := range words.Languages {
		m := file(t, l.Tag)
		for text, place := range texts {
			switch got, ok := m[text]; {
			case !ok || got == "":
				t.Errorf("%s lacks %q (%s)", l.Tag, text, place)
			case !slices.Equal(valuesIn(got), valuesIn(text)):
				t.Errorf("%s has other values in %q: %q", l.Tag, text, got)
			case strings.HasPrefix(place, ofCore) && !slices.Equal(verbsIn(got), verbsIn(text)):
				t.Errorf("%s has other values in %q: %q", l.Tag, text, got)
			case l.Tag == "en" && got != english(text):
				t.Errorf("en has %q for %q", got, text)
			case l.Tag != "en" && strings.HasSuffix(text, "…") != strings.HasSuffix(got, "…"):
				t.Errorf("%s: %q ends otherwise than %q", l.Tag, got, text)
			}
		}
		for _, text := range slices.Sorted(maps.Keys(m)) {
			if _, ok := texts[text]; !ok {
				t.Errorf("%s holds %q, which nothing uses", l.Tag, text)
			}
		}
	}
}

// otherWords are words for a provider that the window and the errors do not have.
var otherWords = regexp.MustCompile(`(?i)\b(upstream|vendor)`)

// TestProvidersAreNamedSo: who answers has one name, whoever speaks of it.
func TestProvidersAreNamedSo(t *testing.T) {
	for text, place := range used(t) {
		if otherWords.MatchString(text) {
			t.Errorf("%q (%s)", text, place)
		}
	}
}

// writeEnglish writes one file for each file of the program that uses texts.
func writeEnglish(t *testing.T, texts map[string]string) {
	t.Helper()
	old, err := filepath.Glob("translations/en/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	parts := map[string]map[string]string{}
	for text, place := range texts {
		if !strings.HasPrefix(place, ofCore) {
			place = filepath.Base(place)
		}
		source, _, _ := strings.Cut(place, ".")
		if parts[source] == nil {
			parts[source] = map[string]string{}
		}
		parts[source][text] = english(text)
	}
	for source, m := range parts {
		f, err := os.Create(filepath.Join("translations", "en", source+".json"))
		if err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(f) // which sorts keys
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(m); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUse(t *testing.T) {
	defer func() { _ = words.Use("en") }()
	for _, c := range []struct{ tag, stop, running string }{
		{"zh-Hans", "停止", "正在运行：a:1"},
		{"en", "Stop", "Running on a:1"},
	} {
		if err := words.Use(c.tag); err != nil {
			t.Fatal(err)
		}
		if got := words.T("Stop"); got != c.stop || words.Tag() != c.tag {
			t.Errorf("%s: %q", words.Tag(), got)
		}
		if got := words.F("Running on {{.Addr}}", words.V{"Addr": "a:1"}); got != c.running {
			t.Errorf("%s: %q", c.tag, got)
		}
	}
	const wrong = "the port must be a number from 1 to 65535, or 0 for any free one"
	if got := words.Of(wrong); got != wrong {
		t.Errorf("en: %q", got)
	}
	_ = words.Use("zh-Hans")
	if got := words.Of(wrong); got == wrong {
		t.Errorf("zh-Hans: %q", got)
	}
	if got := words.Of("{{.An}} unknown text"); got != "{{.An}} unknown text" {
		t.Errorf("an unknown text became %q", got)
	}
	_ = words.Use("en")
	if got := lang.L("Paste"); got != "Paste" {
		t.Errorf("en: the toolkit says %q", got)
	}
	if err := words.Use("tlh"); err == nil || words.Tag() != "en" {
		t.Errorf("an unknown language: %v, %s", err, words.Tag())
	}
	if err := words.Use(""); err != nil || !slices.ContainsFunc(words.Languages, func(l words.Language) bool { return l.Tag == words.Tag() }) {
		t.Errorf("the system's language: %v, %s", err, words.Tag())
	}
}

type inWords string

func (w inWords) String() string { return words.T(string(w)) }

// A value may be worded itself while its text is.
func TestValuesAreWorded(t *testing.T) {
	defer func() { _ = words.Use("en") }()
	if err := words.Use("zh-Hans"); err != nil {
		t.Fatal(err)
	}
	if got := words.F("Running on {{.Addr}}", words.V{"Addr": inWords("Stop")}); got != "正在运行：停止" {
		t.Errorf("%q", got)
	}
}

func BenchmarkT(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		words.T("Stop")
	}
}

func BenchmarkF(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		words.F("Running on {{.Addr}}", words.V{"Addr": "a:1"})
	}
}
