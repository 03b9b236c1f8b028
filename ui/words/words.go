// Package words gives the texts of the user interface in the user's language.
//
// Every text is written in English where it is used, and that English text is its key in
// the files translations/LANGUAGE/*.json, whose names only keep them short; a test sees to
// it that no language lacks a text. Values stand in a text as {{.Name}}.
package words

import (
	"embed"
	"encoding/json"
	"fmt"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"golang.org/x/text/language"
)

//go:embed translations
var files embed.FS

// Language is a language that the program speaks.
type Language struct {
	Tag  string // BCP 47; "" for the system's
	Name string // in the language itself
}

// Languages are those that can be chosen, apart from the system's.
var Languages = []Language{{"en", "English"}, {"zh-Hans", "简体中文"}}

// V are the values in a text, by name.
type V map[string]any

var (
	mu    sync.RWMutex
	known = map[string]string{} // texts without values, in the language of now
	held  = map[string]bool{}   // the texts that the files hold
	tag   string
)

// Use makes the program speak a language: its tag, or "" for the one that the system asks
// for, or English when it asks for none of ours. Texts that were made before stay as they
// are.
func Use(chosen string) error {
	if chosen == "" {
		chosen = closest(lang.SystemLocale())
	}
	dir := "translations/" + chosen
	list, err := files.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("no texts for the language %q", chosen)
	}
	mu.Lock()
	defer mu.Unlock()
	if chosen == tag {
		return nil // loading again would add to what the lang package keeps for ever
	}
	texts := map[string]bool{}
	for _, f := range list {
		if err := load(dir+"/"+f.Name(), texts); err != nil {
			return fmt.Errorf("read the texts of %s/%s: %w", chosen, f.Name(), err)
		}
	}
	tag, held = chosen, texts
	clear(known)
	return nil
}

// load takes over the texts of a file, and notes which they are.
func load(name string, texts map[string]bool) error {
	data, err := files.ReadFile(name)
	if err != nil {
		return err
	}
	var all map[string]string
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	for text := range all {
		texts[text] = true
	}
	// The lang package always speaks the system's language, so the chosen one is put in its place.
	return lang.AddTranslationsForLocale(data, lang.SystemLocale())
}

// Tag is the language of now.
func Tag() string {
	mu.RLock()
	defer mu.RUnlock()
	return tag
}

// closest is the tag of ours that is nearest to a locale.
func closest(l fyne.Locale) string {
	wanted, err := language.Parse(l.LanguageString())
	if err != nil {
		return Languages[0].Tag
	}
	tags := make([]language.Tag, len(Languages))
	for i, l := range Languages {
		tags[i] = language.Make(l.Tag)
	}
	_, i, sure := language.NewMatcher(tags).Match(wanted)
	if sure == language.No {
		i = 0
	}
	return Languages[i].Tag
}

// T is a text without values.
func T(text string) string {
	mu.RLock()
	s, ok := known[text]
	mu.RUnlock()
	if ok {
		return s
	}
	mu.Lock()
	defer mu.Unlock()
	s = lang.L(text)
	known[text] = s
	return s
}

// Of is a text that another package has worded in English, which stays as it is when it is
// none that is known here.
func Of(text string) string {
	mu.RLock()
	ok := held[text]
	mu.RUnlock()
	if !ok {
		return text
	}
	return T(text)
}

// F is a text with values.
func F(text string, values V) string {
	said := make(V, len(values))
	for name, v := range values {
		switch v := v.(type) { // which may itself need words, so not while the lock is held
		case error:
			said[name] = v.Error()
		case fmt.Stringer:
			said[name] = v.String()
		default:
			said[name] = v
		}
	}
	mu.RLock()
	defer mu.RUnlock()
	return lang.L(text, said)
}
