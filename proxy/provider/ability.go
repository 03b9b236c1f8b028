package provider

import (
	"strconv"
	"strings"

	"apex-ai-proxy/proxy/convert/ir"
)

// The abilities of models, as of November 2026. Sources: the vendors' model overviews
// and API references (Anthropic: models overview, extended and adaptive thinking,
// effort, structured outputs; OpenAI: reasoning guide and the models' own pages; Google:
// OpenAI compatibility; xAI, Groq, Mistral, DeepSeek, Perplexity: API references).

// AbilityOf is what the model of a provider can do and refuses. Known is false for a
// model that is not in the tables; the other fields are then the safest guess.
func AbilityOf(slug, model string) ir.Ability {
	name := strings.ToLower(model)
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:] // vendor/model of an aggregator
	}
	if strings.HasPrefix(name, "claude") {
		return claude(name)
	}
	for i := range abilities {
		row := &abilities[i]
		if (row.slug == "" || row.slug == slug) && matches(name, row.model) {
			a := row.ability
			a.Known = true
			return a
		}
	}
	switch slug {
	case "openai", "azure-openai":
		// A model this program does not know yet: most new ones reason.
		return ir.Ability{Efforts: effortsOld, OutputSchema: true}
	case "anthropic":
		return ir.Ability{Adaptive: true, Efforts: effortsClaude, NoSampling: true, NoPrefill: true, OutputSchema: true, MaxOutput: 32000}
	default:
		return ir.Ability{OutputSchema: true}
	}
}

// matches compares a name with a pattern that may end in *.
func matches(name, pattern string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return name == pattern
}

var (
	effortsOld    = []string{"low", "medium", "high"}
	efforts5      = []string{"minimal", "low", "medium", "high"}
	efforts51     = []string{"none", "low", "medium", "high"}
	efforts52     = []string{"none", "low", "medium", "high", "xhigh"}
	efforts56     = []string{"none", "low", "medium", "high", "xhigh", "max"}
	effortsGem    = []string{"none", "minimal", "low", "medium", "high"}
	effortsClaude = []string{"low", "medium", "high", "xhigh", "max"}
	efforts46     = []string{"low", "medium", "high", "max"}
)

func reasons(efforts []string) ir.Ability {
	return ir.Ability{Efforts: efforts, NoSampling: true, NoStop: true, OutputSchema: true}
}

// abilities is searched from the top; the first row that fits counts.
var abilities = []struct {
	slug, model string // slug "" for any provider
	ability     ir.Ability
}{
	// OpenAI, also at Azure and OpenRouter
	{"", "gpt-5-chat*", ir.Ability{MaxOutput: 16384, OutputSchema: true}},
	{"", "gpt-5.1-chat*", ir.Ability{MaxOutput: 16384, OutputSchema: true}},
	{"", "gpt-5.2-chat*", ir.Ability{MaxOutput: 16384, OutputSchema: true}},
	{"", "gpt-5.1-codex-max*", reasons(efforts52)},
	{"", "gpt-5.1*", reasons(efforts51)},
	{"", "gpt-5.2*", reasons(efforts52)},
	{"", "gpt-5.3*", reasons(efforts52)},
	{"", "gpt-5.4*", reasons(efforts52)},
	{"", "gpt-5.5*", reasons(efforts52)},
	{"", "gpt-5.*", reasons(efforts56)},
	{"", "gpt-5-pro*", reasons([]string{"high"})},
	{"", "gpt-5*", reasons(efforts5)},
	{"", "gpt-6*", reasons(efforts56)},
	{"", "o1-mini*", ir.Ability{NoSampling: true, NoStop: true}},
	{"", "o1-preview*", ir.Ability{NoSampling: true, NoStop: true}},
	{"", "o1", reasons(effortsOld)},
	{"", "o1-*", reasons(effortsOld)},
	{"", "o3", reasons(effortsOld)},
	{"", "o3-*", reasons(effortsOld)},
	{"", "o4-*", reasons(effortsOld)},
	{"", "gpt-4.1*", ir.Ability{MaxOutput: 32768, OutputSchema: true}},
	{"", "gpt-4o*", ir.Ability{MaxOutput: 16384, OutputSchema: true}},
	{"", "chatgpt-4o*", ir.Ability{MaxOutput: 16384}},
	{"", "gpt-4*", ir.Ability{MaxOutput: 4096}},
	{"", "gpt-3.5*", ir.Ability{MaxOutput: 4096}},
	{"", "gpt-oss*", ir.Ability{Efforts: effortsOld, OutputSchema: true}},
	// Google
	{"", "gemini-3*", ir.Ability{MaxOutput: 65536, Efforts: []string{"minimal", "low", "medium", "high"}, OutputSchema: true}},
	{"", "gemini-2.5-pro*", ir.Ability{MaxOutput: 65536, Efforts: []string{"minimal", "low", "medium", "high"}, OutputSchema: true}},
	{"", "gemini-2.5*", ir.Ability{MaxOutput: 65536, Efforts: effortsGem, OutputSchema: true}},
	{"", "gemini-*", ir.Ability{MaxOutput: 8192, OutputSchema: true}},
	// xAI
	{"", "grok-3-mini*", ir.Ability{Efforts: []string{"low", "high"}, NoStop: true, OutputSchema: true}},
	{"", "grok-4*", ir.Ability{NoStop: true, OutputSchema: true}},
	{"", "grok-code*", ir.Ability{NoStop: true, OutputSchema: true}},
	{"", "grok-*", ir.Ability{OutputSchema: true}},
	// DeepSeek
	{"deepseek", "deepseek-chat*", ir.Ability{MaxOutput: 8192}},
	{"deepseek", "deepseek-reasoner*", ir.Ability{MaxOutput: 64000}},
	// Groq
	{"groq", "qwen3*", ir.Ability{Efforts: []string{"none"}}},
	// Mistral
	{"mistral", "*", ir.Ability{OutputSchema: true}},
	// Perplexity
	{"perplexity-ai", "sonar-deep-research*", ir.Ability{Efforts: efforts5, OutputSchema: true}},
	{"perplexity-ai", "sonar*", ir.Ability{OutputSchema: true}},
	// Open models that have no switch for thinking
	{"", "llama*", ir.Ability{OutputSchema: true}},
	{"", "command*", ir.Ability{OutputSchema: true}},
	// The demo takes everything
	{"demo", "*", ir.Ability{Efforts: efforts52, Budget: true, Adaptive: false, OutputSchema: true, MidSystem: true, MaxOutput: 32000}},
}

// claude is the ability of a Claude model, told by its family and version.
func claude(name string) ir.Ability {
	family, version := claudeVersion(name)
	a := ir.Ability{Known: true, MaxOutput: claudeOutput(family, version)}
	switch {
	case family == "" || version == 0:
		// No number at all: an alias of the newest generation.
		a.Known = false
		version = newest
	case version < 307:
		return a // no thinking
	}
	a.OneSampling = version >= 401
	a.NoPrefill = version >= 406
	a.OutputSchema = version >= 405 || family == "opus" && version >= 401
	if version < 406 {
		a.Budget = true
		if family == "opus" && version == 405 {
			a.Efforts = effortsOld
		}
		return a
	}
	a.Adaptive, a.Efforts = true, efforts46
	if version >= 407 {
		a.NoSampling, a.Efforts = true, effortsClaude
		a.MidSystem = version >= 408
	}
	a.AlwaysThinks = family == "fable" || family == "mythos"
	return a
}

// newest is taken for Claude models without a version.
const newest = 408

// claudeVersion reads family and version out of ids such as claude-opus-4-7,
// claude-sonnet-4.5, claude-3-5-haiku-20241022. The version is major*100+minor.
func claudeVersion(name string) (family string, version int) {
	major, minor := -1, 0
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '-' || r == '.' || r == '@' || r == ':' }) {
		n, err := strconv.Atoi(word)
		switch {
		case err != nil:
			switch word {
			case "opus", "sonnet", "haiku", "fable", "mythos", "instant":
				family = word
			}
		case n >= 1000: // a date
		case major < 0:
			major = n
		case minor == 0:
			minor = n
		}
	}
	if major < 0 {
		return family, 0
	}
	return family, major*100 + minor
}

// claudeOutput is the most tokens a Claude model may be asked for.
func claudeOutput(family string, version int) int64 {
	switch {
	case version == 0:
		return 32000
	case version < 305:
		return 4096
	case version < 307:
		return 8192
	case version < 405 && family == "opus":
		return 32000
	case version < 406:
		return 64000
	case family == "opus":
		return 128000
	default:
		return 64000
	}
}
