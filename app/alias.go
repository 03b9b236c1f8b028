package app

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/convert/ir"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/provider"
)

// CheckSettings is what SaveSettings would find wrong with s: a *settings.ValidationError.
func (a *App) CheckSettings(s settings.Settings) error { return check(s) }

// check tells what is wrong with s as a *settings.ValidationError: what s.Validate finds,
// and aliases that lead nowhere.
func check(s settings.Settings) error {
	err := s.Validate(providers())
	invalid := &settings.ValidationError{}
	if err != nil && !errors.As(err, &invalid) {
		return err
	}
	add := func(field string, text prose.Text) {
		if !text.Empty() && invalid.Field(field) == "" {
			invalid.Problems = append(invalid.Problems, settings.Problem{Field: field, Text: text})
		}
	}
	targets := s.AliasTargets()
	for _, name := range slices.Sorted(maps.Keys(s.Aliases)) {
		add(settings.FieldAlias(name), neverFits(name))
		add(settings.FieldAlias(name), leadsNowhere(targets[name]))
	}
	for _, t := range settings.Tiers() {
		add(settings.FieldTier(t), leadsNowhere(s.TierTargets(t)))
	}
	if len(invalid.Problems) == 0 {
		return nil
	}
	return invalid
}

// neverFits is what keeps a pattern from ever being looked at, "" when nothing does.
func neverFits(name string) prose.Text {
	i := strings.LastIndexByte(name, '#')
	if i < 0 || !strings.Contains(name, "*") {
		return prose.Text{}
	}
	if _, known := provider.Lookup(name[i+1:]); !known {
		return prose.Text{}
	}
	return prose.New("an alias with * never matches names that include a provider; leave out %s, or write an alias without *", name[i:])
}

// leadsNowhere is what is wrong with the first model that has no provider, "" when all
// have one.
func leadsNowhere(models []string) prose.Text {
	for _, m := range models {
		_, err := provider.Resolve(m)
		var e *ir.Error
		if errors.As(err, &e) {
			return e.Message.Map(settings.Masked)
		}
	}
	return prose.Text{}
}
