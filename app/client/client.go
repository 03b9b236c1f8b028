// Package client knows the programs that can use the proxy: what each of them wants to be
// told, and where. It holds one table, and it turns a row of it into text for an address,
// a key and a model. It reads and writes nothing.
package client

import "slices"

// Kind groups clients.
type Kind string

// The kinds, in the order in which they are shown.
const (
	CommandLine Kind = "cli"
	Editor      Kind = "editor"
	Desktop     Kind = "app"
	SDK         Kind = "sdk"
	Terminal    Kind = "terminal"
)

// Kinds are all kinds in their order.
var Kinds = []Kind{CommandLine, Editor, Desktop, SDK, Terminal}

// Protocol is what a client speaks with the proxy.
type Protocol string

// The protocols, by the names that their vendors give them.
const (
	Chat      Protocol = "OpenAI Chat Completions"
	Responses Protocol = "OpenAI Responses"
	Messages  Protocol = "Anthropic Messages"
)

// OS is an operating system, by Go's name for it.
type OS string

// The systems that the program runs on. Any other counts as Linux.
const (
	MacOS   OS = "darwin"
	Linux   OS = "linux"
	Windows OS = "windows"
)

// Format is the language of a snippet.
type Format string

// The formats. A variant without a snippet has the format None.
const (
	None       Format = ""
	JSON       Format = "json"
	TOML       Format = "toml"
	YAML       Format = "yaml"
	Bash       Format = "bash"
	Fish       Format = "fish"
	PowerShell Format = "powershell"
	Python     Format = "python"
	JavaScript Format = "javascript"
	Go         Format = "go"
)

// Input is what a snippet is made of. The addresses have no slash at their end.
type Input struct {
	OpenAI    string // with /v1
	Anthropic string // without /v1
	Key       string // the local key, or what stands for it
	Model     string // as a request names it: "model#provider"
	// Tiers are the models for tiers that have one of their own, for clients that ask by tier.
	Tiers map[string]string
}

// Tier is the model for a tier.
func (in Input) Tier(name string) string {
	if m := in.Tiers[name]; m != "" {
		return m
	}
	return in.Model
}

// Client is one program that can use the proxy.
type Client struct {
	ID        string // stays the same over versions of this program
	Name      string
	Kind      Kind
	Protocols []Protocol
	On        []OS      // where the client exists; nil means everywhere
	Variants  []Variant // ways to set it up, the best first; none when there is no way
	Tiers     bool      // it asks for models by tier
	Note      string    // the obstacle that people meet, one sentence in English, or ""
}

// Variant is one way to set a client up: a snippet, values for its settings, or both.
type Variant struct {
	Name   string // a file, a shell, a language or a protocol
	Format Format
	File   Paths    // where the snippet belongs; the zero Paths when that is no file
	Steps  []string // what to do, in English

	text   func(Input) string
	fields []field
}

// Paths are the place of a file on each system, as the user writes it there.
type Paths struct{ MacOS, Linux, Windows string }

// On is the path on a system, "" when there is none.
func (p Paths) On(os OS) string {
	switch os {
	case MacOS:
		return p.MacOS
	case Windows:
		return p.Windows
	default:
		return p.Linux
	}
}

// Field is a value that the user types into a client.
type Field struct {
	Name  string // as the client calls it
	Value string
}

type field struct {
	name  string
	value func(Input) string
}

// Text is the snippet, without a line break at its end; "" when there is none.
func (v *Variant) Text(in Input) string {
	if v.text == nil {
		return ""
	}
	return v.text(in)
}

// Fields are the values to type.
func (v *Variant) Fields(in Input) []Field {
	var out []Field
	for _, f := range v.fields {
		out = append(out, Field{f.name, f.value(in)})
	}
	return out
}

// Uses tells which parts of an input a client has any use for.
func (c *Client) Uses() (key, model bool) {
	plain := Input{OpenAI: "o", Anthropic: "a", Key: "k", Model: "m"}
	other := plain
	other.Model = "m2"
	for i := range c.Variants {
		v := &c.Variants[i]
		key = key || v.ShowsKey()
		model = model || v.differs(plain, other)
	}
	return key, model
}

// ShowsKey tells whether the key stands in the snippet or in a value.
func (v *Variant) ShowsKey() bool { return v.differs(Input{Key: "k"}, Input{Key: "k2"}) }

func (v *Variant) differs(a, b Input) bool {
	return v.Text(a) != v.Text(b) || !slices.Equal(v.Fields(a), v.Fields(b))
}

// For are the clients that exist on a system, in the order of the table. What is best
// tried first there comes first: on Windows, PowerShell before the other shells.
func For(os OS) []Client {
	var out []Client
	for _, c := range table {
		if c.On != nil && !slices.Contains(c.On, os) {
			continue
		}
		c.Variants = slices.Clone(c.Variants)
		if os == Windows {
			slices.SortStableFunc(c.Variants, func(a, b Variant) int { return foreign(a) - foreign(b) })
		}
		out = append(out, c)
	}
	return out
}

// foreign is 1 for a shell that Windows does not bring, and 0 for all else, except that
// PowerShell keeps its place before them.
func foreign(v Variant) int {
	if v.Format == Bash || v.Format == Fish {
		return 1
	}
	return 0
}

// spoken are the names of variants that are English, and not the names of things.
var spoken = []string{nameKeyInFile, nameTunnel, nameWorker, nameSettings}

// Prose is all English of the table, for those who translate it.
func Prose() []string {
	var out []string
	add := func(s string) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	for _, name := range spoken {
		add(name)
	}
	for _, c := range table {
		add(c.Note)
		for _, v := range c.Variants {
			for _, s := range v.Steps {
				add(s)
			}
		}
	}
	return out
}
