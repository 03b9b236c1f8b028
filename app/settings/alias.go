package settings

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"apex-ai-proxy/proxy/prose"
)

// Tier is one of the sizes of model that Claude Code asks for.
type Tier string

// The tiers.
const (
	TierOpus   Tier = "opus"
	TierSonnet Tier = "sonnet"
	TierHaiku  Tier = "haiku" // for titles and other small work
	TierFable  Tier = "fable"
)

// Tiers is all tiers, in the order people see them.
func Tiers() []Tier { return []Tier{TierOpus, TierSonnet, TierHaiku, TierFable} }

// TierTargets is what stands for the models of a tier, tried in order; nothing when the
// tier is left to Claude.
func (s Settings) TierTargets(t Tier) []string {
	targets, ok := targetsOf(s.Claude[t])
	if !ok || len(targets) == 1 && targets[0] == "" {
		return nil
	}
	return targets
}

// WithTier is s with the models for a tier; none leaves it to Claude.
func (s Settings) WithTier(t Tier, models ...string) Settings {
	s.Claude = maps.Clone(s.Claude)
	if s.Claude == nil {
		s.Claude = make(map[Tier]any)
	}
	switch len(models) {
	case 0:
		delete(s.Claude, t)
	case 1:
		s.Claude[t] = models[0]
	default:
		s.Claude[t] = models
	}
	return s
}

// Name is the alias by which the models of a tier can be asked for, whatever their version.
func (t Tier) Name() string { return "claude-" + string(t) }

// names are the aliases that stand for what a tier does: one to choose from a list, and one
// for every id there is, as in claude-opus-4-8 and claude-3-opus-20240229.
func (t Tier) names() [2]string {
	return [2]string{t.Name(), "claude-*" + string(t) + "*"}
}

// AliasTargets is what each alias stands for, those of the tiers of Claude Code included;
// an alias of the same name beats them. Values of another kind are left out; Validate
// reports them.
func (s Settings) AliasTargets() map[string][]string {
	out := make(map[string][]string, len(s.Aliases))
	for _, t := range Tiers() {
		if targets := s.TierTargets(t); targets != nil {
			for _, name := range t.names() {
				out[name] = targets
			}
		}
	}
	for name, value := range s.Aliases {
		if targets, ok := targetsOf(value); ok {
			out[name] = targets
		}
	}
	return out
}

func targetsOf(value any) (targets []string, ok bool) {
	switch v := value.(type) {
	case string:
		return []string{v}, true
	case []string:
		return v, len(v) > 0
	case []any:
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, false
			}
			targets = append(targets, s)
		}
		return targets, len(targets) > 0
	default:
		return nil, false
	}
}

// FieldAlias is the field of an alias.
func FieldAlias(name string) string { return join("aliases", name) }

// FieldTier is the field of a tier.
func FieldTier(t Tier) string { return "claude." + string(t) }

// The bounds of an alias.
const (
	maxTargets = 8   // models that are tried for one request
	maxName    = 256 // bytes, as of a model's name
)

func (s Settings) checkAliases(e *ValidationError) {
	for _, name := range slices.Sorted(maps.Keys(s.Aliases)) {
		problem := checkAliasName(name)
		if problem.Empty() {
			problem = s.checkTargets(s.Aliases[name])
		}
		e.check(FieldAlias(name), problem)
	}
	for _, t := range slices.Sorted(maps.Keys(s.Claude)) {
		switch v := s.Claude[t]; {
		case !slices.Contains(Tiers(), t):
			e.check(Masked(FieldTier(t)), unknownTier(string(t)))
		case !isEmpty(v):
			e.check(FieldTier(t), s.checkTargets(v))
		}
	}
}

func unknownTier(name string) prose.Text {
	var names []string
	for _, t := range Tiers() {
		names = append(names, string(t))
	}
	return prose.New("there is no such tier; %s", meant(name, names))
}

// isEmpty tells whether the value leaves a tier to Claude.
func isEmpty(v any) bool {
	switch v := v.(type) {
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	}
	return false
}

func checkAliasName(name string) prose.Text {
	switch {
	case strings.TrimSpace(name) == "":
		return prose.New("an alias needs a name")
	case len(name) > maxName:
		return prose.New("the name is longer than %d characters", maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }):
		return prose.New("the name holds a control character; leave it out")
	case strings.TrimSpace(name) != name:
		return prose.New("leave out the spaces around the name")
	case strings.HasSuffix(strings.ToLower(name), "[1m]"):
		return prose.New("leave out [1m]; the name without it serves both")
	}
	return prose.Text{}
}

func (s Settings) checkTargets(value any) prose.Text {
	targets, ok := targetsOf(value)
	_, isSection := value.(map[string]any)
	switch {
	case isSection:
		return prose.New(`a name with a dot must be in quotes, as in "gpt-4.1" = "gpt-5#openai"`)
	case !ok:
		return prose.New(`write the model that it stands for, as in "gpt-5#openai", or a list of models`)
	case len(targets) > maxTargets:
		return prose.New("at most %d models can be tried", maxTargets)
	}
	for _, t := range targets {
		if strings.TrimSpace(t) == "" {
			return prose.New(`the model is missing; write it as in "gpt-5#openai", or remove the alias`)
		}
		if strings.Contains(t, "*") {
			return prose.New("a model has a name without *")
		}
		if _, again := s.Aliases[strings.TrimSpace(t)]; again {
			return prose.New("%q is an alias too, and an alias leads to a model, never to another alias; write the model as model#provider", Masked(t))
		}
	}
	return prose.Text{}
}
