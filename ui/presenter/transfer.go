package presenter

import (
	"errors"
	"strings"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// ExportName is the name that a file of exported settings is offered under.
const ExportName = "apex-ai-proxy-settings.toml"

// Import is what a file would change, in lines.
type Import struct {
	Settings settings.Settings
	Changes  []ImportLine
	Ignored  []ImportLine
}

// ImportLine is a setting, and what becomes of it or why nothing does.
type ImportLine struct{ Name, Text string }

// ReadImport understands a file that was chosen. The error is a sentence.
func ReadImport(data []byte, before settings.Settings, providers []string) (Import, error) {
	in, err := settings.Import(data, before, providers)
	if err != nil {
		return Import{}, errors.New(importProblem(err))
	}
	out := Import{Settings: in.Settings}
	for _, c := range settings.Changes(before, in.Settings) {
		out.Changes = append(out.Changes, ImportLine{c.Field, changeText(c)})
	}
	for _, x := range in.Ignored {
		out.Ignored = append(out.Ignored, ImportLine{x.Name, Say(x.Why)})
	}
	return out, nil
}

func changeText(c settings.Change) string {
	before, after := Shorten(c.Before, 80), Shorten(c.After, 80)
	switch {
	case before == "":
		return words.F("New: {{.After}}", words.V{"After": after})
	case after == "":
		return words.F("Removed: {{.Before}}", words.V{"Before": before})
	default:
		return words.F("From {{.Before}} to {{.After}}", words.V{"Before": before, "After": after})
	}
}

func importProblem(err error) string {
	var v *settings.ValidationError
	if !errors.As(err, &v) {
		return Tell(err)
	}
	lines := make([]string, len(v.Problems))
	for i, p := range v.Problems {
		lines[i] = named(p.Name(), told(p))
	}
	return words.T("The file has values that cannot be used. Nothing was changed.") + "\n\n" + strings.Join(lines, "\n")
}
