package presenter

import (
	"slices"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Everything that can be chosen can be saved, and the languages are those of the settings.
func TestChoicesAreValid(t *testing.T) {
	for _, field := range []Field{FieldLanguage, FieldTheme} {
		f := newForm()
		all := Choices(field)
		if len(all) < 3 || all[0].Value != f.Text(field) {
			t.Errorf("%s: %v, while the default is %q", field, all, f.Text(field))
		}
		for _, c := range all[1:] {
			f.SetText(field, c.Value)
			if !f.Valid() || !f.Dirty() || c.Text == "" {
				t.Errorf("%s: %+v is refused: %s", field, c, f.Problem(field))
			}
		}
	}
	var tags []string
	for _, l := range words.Languages {
		tags = append(tags, l.Tag)
	}
	if !slices.Equal(tags, settings.Languages) {
		t.Errorf("the words have %v, the settings %v", tags, settings.Languages)
	}
}

func TestAppearanceIsSaved(t *testing.T) {
	f := newForm()
	f.SetText(FieldLanguage, "zh-Hans")
	f.SetText(FieldTheme, "dark")
	if a := f.Settings().App; a.Language != "zh-Hans" || a.Theme != settings.ThemeDark {
		t.Errorf("%+v", a)
	}
}
