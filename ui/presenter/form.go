package presenter

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Form is the settings while they are being edited. What is typed stays until it is saved
// or reverted, whatever goes wrong. It is not safe for concurrent use.
type Form struct {
	base       settings.Settings
	overridden map[string]string
	providers  []string

	text  map[Field]string
	flag  map[Field]bool
	modes map[string]settings.KeyMode

	problems map[Field]string // of what is typed now
	typing   Field            // has the cursor and was edited since; "" for none
	rejected map[Field]string // by the last attempt to save, until the field is changed
}

// NewForm is a form that shows s.
func NewForm(s settings.Settings, overridden map[string]string, providers []string) *Form {
	f := &Form{providers: providers, rejected: map[Field]string{}}
	f.load(s, overridden)
	f.Revert()
	return f
}

func (f *Form) load(s settings.Settings, overridden map[string]string) {
	f.base, f.overridden = s, overridden
}

// Reload takes over settings that were saved or changed elsewhere. Fields that the user
// has edited to something else keep what was typed.
func (f *Form) Reload(s settings.Settings, overridden map[string]string) {
	was := *f
	typed, unreadable := was.build()
	f.load(s, overridden)
	f.Revert()
	for _, n := range texts {
		edited := was.text[n] != textOf(was.base, n)
		if edited && (unreadable[n] != "" || textOf(typed, n) != textOf(s, n)) {
			f.SetText(n, was.text[n])
		}
	}
	for _, n := range flags {
		if was.flag[n] != flagOf(was.base, n) {
			f.SetFlag(n, was.flag[n])
		}
	}
	for _, p := range f.providers {
		if was.modes[p] != modeOf(was.base, p) {
			f.SetMode(p, was.modes[p])
		}
	}
	f.typing = was.typing
	f.check()
}

// Revert drops what was edited.
func (f *Form) Revert() {
	f.text, f.flag, f.modes = map[Field]string{}, map[Field]bool{}, map[string]settings.KeyMode{}
	for _, name := range texts {
		f.text[name] = textOf(f.base, name)
	}
	for _, name := range flags {
		f.flag[name] = flagOf(f.base, name)
	}
	for _, p := range f.providers {
		f.modes[p] = modeOf(f.base, p)
	}
	clear(f.rejected)
	f.typing = ""
	f.check()
}

// Providers are the providers whose key mode can be chosen.
func (f *Form) Providers() []string { return f.providers }

// Text is what a field holds now.
func (f *Form) Text(name Field) string { return f.text[name] }

// SetText takes over what was typed into a field. An address of Cloudflare that is pasted
// where an account or a gateway is asked for fills in both.
func (f *Form) SetText(name Field, value string) {
	if _, fixed := f.Fixed(name); fixed || f.text[name] == value {
		return
	}
	pasted := len(value)-len(f.text[name]) > 1 // what is typed letter by letter waits for Settle
	if found, ok := located(name, value); ok && pasted {
		f.take(found) // and what the field had stays where the address lacks it
	} else {
		f.take(map[Field]string{name: value})
	}
	f.check()
}

// Settle takes apart the addresses of Cloudflare that were typed letter by letter, and tells
// what is wrong. It is for the time when a field is left: before, what is typed may go on.
func (f *Form) Settle() {
	f.typing = ""
	f.take(f.settled())
	f.check()
}

// locating are the fields in which an address of Cloudflare may stand.
var locating = []Field{FieldAccount, FieldGateway, FieldGatewayURL}

// typed are the fields that an address fills in that was typed into one, nil for none: also
// when it lacks what the field asks for.
func (f *Form) typed(name Field) map[Field]string {
	text := f.text[name]
	if text == textOf(f.base, name) {
		return nil
	}
	found, _ := located(name, text)
	if value, has := found[name]; !has || value == text {
		return nil
	}
	return found
}

// settled are the fields of the gateway as Settle would leave them.
func (f *Form) settled() map[Field]string {
	out := map[Field]string{}
	for _, name := range locating {
		out[name] = f.text[name]
	}
	for _, name := range locating {
		for field, value := range f.typed(name) {
			if _, fixed := f.Fixed(field); !fixed {
				out[field] = value
			}
		}
	}
	return out
}

// take puts values into fields, unless something beats them.
func (f *Form) take(values map[Field]string) {
	for name, value := range values {
		if _, fixed := f.Fixed(name); !fixed && f.text[name] != value {
			f.text[name] = value
			delete(f.rejected, name)
		}
	}
}

// located are the fields that an address of Cloudflare in a field fills in. ok is false when
// the text is no such address.
func located(name Field, text string) (found map[Field]string, ok bool) {
	if !slices.Contains(locating, name) {
		return nil, false
	}
	l, ok := settings.Locate(text)
	if !ok {
		return nil, false
	}
	found = map[Field]string{FieldAccount: l.Account}
	if l.Gateway != "" {
		found[FieldGateway] = l.Gateway
	}
	if name == FieldGatewayURL {
		found[name] = settings.WithoutAccount(text)
	}
	return found, true
}

// Flag tells whether a field is on.
func (f *Form) Flag(name Field) bool { return f.flag[name] }

// SetFlag switches a field.
func (f *Form) SetFlag(name Field, on bool) {
	if _, fixed := f.Fixed(name); !fixed {
		f.flag[name] = on
		delete(f.rejected, name)
	}
}

// Mode is where a provider's key comes from.
func (f *Form) Mode(provider string) settings.KeyMode { return f.modes[provider] }

// SetMode chooses where a provider's key comes from.
func (f *Form) SetMode(provider string, m settings.KeyMode) {
	if _, fixed := f.Fixed(settings.FieldProvider(provider)); !fixed {
		f.modes[provider] = m
	}
}

// Fixed tells whether something beats the settings file for a field, and what.
func (f *Form) Fixed(name Field) (reason string, fixed bool) {
	return fixedBy(f.overridden, name)
}

// fixedBy tells whether something beats the settings file for a field, and what.
func fixedBy(overridden map[string]string, name Field) (reason string, fixed bool) {
	by, fixed := overridden[name]
	if !fixed {
		return "", false
	}
	return words.F("Set by {{.By}}. Start without it to change this here.", words.V{"By": source(by)}), true
}

// source is what beats the settings file, in words: it comes as a kind and a name.
func source(by string) string {
	switch kind, name, _ := strings.Cut(by, " "); kind {
	case "flag":
		return words.F("flag {{.Name}}", words.V{"Name": name})
	case "environment":
		return words.F("environment {{.Name}}", words.V{"Name": name})
	default:
		return by
	}
}

// Problem is what is to be told about a field that is wrong, "" for nothing. It is nothing
// also while the field is being typed and can still become right.
func (f *Form) Problem(name Field) string {
	if f.Right(name) || f.calm(name, func(f *Form) bool { return f.Right(name) }) {
		return ""
	}
	if p := f.rejected[name]; p != "" {
		return p
	}
	return f.problems[name]
}

// Right tells whether nothing is wrong with a field, told or not.
func (f *Form) Right(name Field) bool { return f.rejected[name] == "" && f.problems[name] == "" }

// Warning is what should be known about the value of a field that is not wrong. While it is
// being typed, nothing is warned of that typing on can still avert.
func (f *Form) Warning(name Field) string {
	text := f.warning(name)
	if text == "" || f.calm(name, func(f *Form) bool { return f.Right(name) && f.warning(name) == "" }) {
		return ""
	}
	return text
}

func (f *Form) warning(name Field) string {
	if !f.Right(name) {
		return ""
	}
	s, _ := f.build()
	for _, w := range s.Warnings() {
		if w.Field == name {
			return told(w)
		}
	}
	return ""
}

// Valid tells whether the form can be saved.
func (f *Form) Valid() bool { return len(f.problems) == 0 }

// Marked tells whether some field says what is wrong with it.
func (f *Form) Marked() bool {
	for name := range f.problems {
		if f.Problem(name) != "" {
			return true
		}
	}
	return false
}

// Dirty tells whether there is something to save.
func (f *Form) Dirty() bool {
	return slices.ContainsFunc(texts, func(n Field) bool { return f.text[n] != textOf(f.base, n) }) ||
		slices.ContainsFunc(flags, func(n Field) bool { return f.flag[n] != flagOf(f.base, n) }) ||
		slices.ContainsFunc(f.providers, func(p string) bool { return f.modes[p] != modeOf(f.base, p) })
}

// Settings are the settings as edited. They may only be saved while the form is Valid.
func (f *Form) Settings() settings.Settings {
	s, _ := f.build()
	return s
}

// Reject takes over why saving went wrong. What does not belong to a field of the form is
// returned as a sentence.
func (f *Form) Reject(err error) string {
	var port *PortError
	if errors.As(err, &port) {
		f.rejected[FieldListen] = words.F("{{.Problem}}. Choose another port.", words.V{"Problem": portInUse(port)})
		if port.Holder == "" && !port.Reserved && port.Err != nil {
			f.rejected[FieldListen] = words.F("{{.Problem}}. The system says: {{.Error}}. Choose another port.", words.V{"Problem": portInUse(port), "Error": port.Err})
		}
		return words.T("The address cannot be used.")
	}
	var v *settings.ValidationError
	if !errors.As(err, &v) {
		return Tell(err)
	}
	rest := ""
	for _, p := range v.Problems {
		if f.has(p.Field) {
			f.rejected[p.Field] = told(p)
		} else if rest == "" {
			rest = named(p.Name(), told(p))
		}
	}
	return rest
}

// told is a problem in the user's language.
func told(p settings.Problem) string { return Say(p.Text) }

func (f *Form) has(name Field) bool {
	return slices.Contains(texts, name) || slices.Contains(flags, name) ||
		slices.ContainsFunc(f.providers, func(p string) bool { return settings.FieldProvider(p) == name })
}

// Recheck words what is wrong in the language of now.
func (f *Form) Recheck() {
	clear(f.rejected)
	f.typing = ""
	f.check()
}

func (f *Form) check() {
	s, problems := f.build()
	var v *settings.ValidationError
	if errors.As(s.Validate(f.known(s)), &v) {
		for _, p := range v.Problems {
			if problems[p.Field] == "" {
				problems[p.Field] = told(p)
			}
		}
	}
	f.problems = problems
}

// known are the providers that the settings may name. One that only the file knows is not
// the form's to judge.
func (f *Form) known(s settings.Settings) []string {
	names := slices.Clone(f.providers)
	for p := range s.Providers {
		names = append(names, p)
	}
	return names
}

// build makes settings of the texts, with what could not be read at all.
func (f *Form) build() (settings.Settings, map[Field]string) {
	problems := map[Field]string{}
	s := f.base
	gateway := f.settled()
	s.Gateway.Account = gateway[FieldAccount]
	s.Gateway.ID = gateway[FieldGateway]
	s.Gateway.URL = gateway[FieldGatewayURL]
	s.Azure.Resource = f.text[FieldAzureResource]
	s.Azure.APIVersion = f.text[FieldAzureAPIVersion]
	s.Server.Listen = f.text[FieldListen]
	for _, name := range flags {
		*flagIn(&s, name) = f.flag[name]
	}
	s.App.Language = f.text[FieldLanguage]
	s.App.Theme = settings.Theme(f.text[FieldTheme])
	s.Captures.Bodies = settings.Bodies(f.text[FieldBodies])
	f.number(FieldExchanges, &s.Captures.Exchanges, problems)
	f.number(FieldMemory, &s.Captures.Memory, problems)
	s.Server.Origins = origins(f.text[FieldOrigins])
	f.duration(FieldUpstreamTimeout, &s.Server.UpstreamTimeout, problems)
	f.duration(FieldStreamIdleTimeout, &s.Server.StreamIdleTimeout, problems)
	f.number(FieldRetries, &s.Server.Retries, problems)
	s.Providers = maps.Clone(f.base.Providers)
	for _, p := range f.providers {
		if f.modes[p] == modeOf(f.base, p) {
			continue
		}
		if s.Providers == nil {
			s.Providers = map[string]settings.Provider{}
		}
		s.Providers[p] = settings.Provider{Key: f.modes[p]}
	}
	return s.Normalized(), problems
}

func (f *Form) duration(name Field, d *settings.Duration, problems map[Field]string) {
	if err := d.UnmarshalText([]byte(f.text[name])); err != nil {
		problems[name] = words.T("Write a time as in 90s, 5m or 1h.")
	}
}

func (f *Form) number(name Field, n *int, problems map[Field]string) {
	v, err := strconv.Atoi(strings.TrimSpace(f.text[name]))
	if err != nil {
		problems[name] = words.T("Write a whole number.")
		return
	}
	*n = v
}
