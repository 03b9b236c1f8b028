package presenter

import (
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Choice is one value that a field can have, in words.
type Choice struct{ Value, Text string }

// Choices are the values of a field that is chosen and not typed, in the order they are
// offered.
func Choices(name Field) []Choice {
	switch name {
	case FieldLanguage:
		all := []Choice{{"", words.T("Same as the system")}}
		for _, l := range words.Languages {
			all = append(all, Choice{l.Tag, l.Name})
		}
		return all
	case FieldTheme:
		return []Choice{
			{string(settings.ThemeSystem), words.T("Same as the system")},
			{string(settings.ThemeLight), words.T("Light")},
			{string(settings.ThemeDark), words.T("Dark")},
		}
	case FieldBodies:
		return []Choice{
			{string(settings.BodiesAll), words.T("Of all requests")},
			{string(settings.BodiesErrors), words.T("Of failed requests only")},
			{string(settings.BodiesOff), words.T("Not at all")},
		}
	default:
		return nil
	}
}
