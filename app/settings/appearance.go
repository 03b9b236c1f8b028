package settings

import (
	"slices"

	"apex-ai-proxy/proxy/prose"
)

// Languages are those that the window speaks, as BCP 47 tags.
var Languages = []string{"en", "zh-Hans"}

// Theme is whether the window is light or dark.
type Theme string

// The themes.
const (
	ThemeSystem Theme = "system" // as the system is
	ThemeLight  Theme = "light"
	ThemeDark   Theme = "dark"
)

func (a App) check(e *ValidationError) {
	if a.Language != "" && !slices.Contains(Languages, a.Language) {
		e.check(FieldLanguage, prose.New(`choose "en", "zh-Hans" or "" for the system's language`))
	}
	switch a.Theme {
	case ThemeSystem, ThemeLight, ThemeDark:
	default:
		e.check(FieldTheme, prose.New(`choose "system", "light" or "dark"`))
	}
}
