package presenter

import (
	"slices"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// TrayItem is one line of the tray menu.
type TrayItem struct {
	Label     string
	Action    Action
	Arg       string // the model that is chosen, the exchange that is shown
	Enabled   bool
	Toggle    bool // it can be checked
	Checked   bool
	Separator bool
	Children  []TrayItem // of a menu within the menu
	Most      int        // how many children it can have, 0 for an item that never has any
}

// Tray is what the tray menu is made of.
type Tray struct {
	Headline Headline
	Quitting bool // the program only waits for requests
	Status   Status
	Key      string     // the local key
	Model    string     // what the alias "default" stands for, "" for nothing
	Models   []string   // that can be chosen for it
	Trouble  *Trouble   // the last failure, nil for none
	Login    LoginState // whether the system starts the program
}

// Lengths of lines, because menus do not wrap.
const (
	trayWidth    = 64
	troubleWidth = 48
)

// Menu is the tray menu. It always has the same items in the same places, with the same
// Toggle and Most, so that it can be changed in place.
func (t *Tray) Menu() []TrayItem {
	label, action, enabled := Switch(t.Status.State)
	quit := words.T("Quit")
	if t.Quitting {
		quit = words.T("Quit now")
	}
	urls := BaseURLs(t.Status.Addr)
	return []TrayItem{
		{Label: Shorten(t.Headline.line(), trayWidth)},
		{Separator: true},
		{Label: label, Action: action, Enabled: enabled && !t.Quitting},
		{Separator: true},
		{Label: words.T("Copy OpenAI base URL"), Action: CopyOpenAI, Enabled: urls.OpenAI != ""},
		{Label: words.T("Copy Anthropic base URL"), Action: CopyAnthropic, Enabled: urls.Anthropic != ""},
		{Label: words.T("Copy local key"), Action: CopyKey, Enabled: t.Key != ""},
		{Separator: true},
		t.models(),
		t.trouble(),
		{Separator: true},
		{Label: words.T("Open window"), Action: OpenWindow, Enabled: !t.Quitting},
		{Label: words.T("Settings…"), Action: OpenSettings, Enabled: !t.Quitting},
		{Label: words.T("Launch at login"), Action: ToggleLogin, Enabled: t.Login.Changeable(), Toggle: true, Checked: t.Login == LoginOn},
		{Separator: true},
		{Label: quit, Action: Quit, Enabled: true},
	}
}

// models chooses what the model "default" stands for. While there is nothing to choose from,
// it leads to where a model is typed.
func (t *Tray) models() TrayItem {
	if len(t.Models) == 0 {
		return TrayItem{Label: words.T("Default model…"), Action: OpenModels, Enabled: !t.Quitting, Most: choices}
	}
	it := TrayItem{Label: words.T("Default model"), Enabled: true, Most: choices}
	for _, m := range t.Models[:min(len(t.Models), choices)] {
		it.Children = append(it.Children, TrayItem{Label: Shorten(m, trayWidth), Action: ChooseModel, Arg: m, Enabled: true, Toggle: true, Checked: m == t.Model})
	}
	return it
}

func (t *Tray) trouble() TrayItem {
	if t.Trouble == nil {
		return TrayItem{Label: words.T("No errors in the last hour")}
	}
	return TrayItem{Label: words.F("Last error: {{.Text}}", words.V{"Text": Shorten(t.Trouble.Text, troubleWidth)}), Action: ShowRequest, Arg: t.Trouble.ID, Enabled: true}
}

// Tooltip is the text that a pointer over the tray icon shows.
func Tooltip(name string, h Headline) string { return Shorten(name+" – "+h.line(), 120) }

// line is the state where there is room for nothing else: an icon that asks for attention
// is not left without a word.
func (h Headline) line() string {
	if h.Icon == IconAttention && h.Tone == ToneWarn {
		return words.F("{{.State}} · attention needed", words.V{"State": h.Text})
	}
	return h.Text
}

// DefaultAlias is the name of a model that stands for the one chosen in the tray.
const DefaultAlias = "default"

// DefaultModel is the model that the name "default" stands for, "" for none.
func DefaultModel(s settings.Settings) string {
	if t := s.AliasTargets()[DefaultAlias]; len(t) > 0 {
		return t[0]
	}
	return ""
}

// WithDefaultModel is s with another model for the name "default".
func WithDefaultModel(s settings.Settings, model string) settings.Settings {
	aliases := map[string]any{DefaultAlias: model}
	for name, v := range s.Aliases {
		if name != DefaultAlias {
			aliases[name] = v
		}
	}
	s.Aliases = aliases
	return s
}

// choices bounds how many models the tray offers.
const choices = 8

// Choices are the models that the tray offers: the chosen one, and those that were asked
// for last.
func (l *Log) Choices(chosen string) []string {
	var out []string
	add := func(m string) {
		if m != "" && m != DefaultAlias && len(out) < choices && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	add(chosen)
	for i := len(l.rows) - 1; i >= 0 && i >= len(l.rows)-looksBack; i-- {
		if x := &l.rows[i]; x.Provider != "" && x.Provider != demoProvider && x.Status < 400 {
			add(x.ModelUsed + "#" + x.Provider)
		}
	}
	slices.Sort(out)
	return out
}

// looksBack is how many requests are searched for models.
const looksBack = 500

// demoProvider answers from inside the program.
const demoProvider = "demo"

// LoginState is whether the system starts the program at login.
type LoginState uint8

// The states.
const (
	LoginUnknown LoginState = iota
	LoginOff
	LoginOn
	LoginBlocked // entered, but switched off in the system's settings
	LoginOther   // a copy of the program that is elsewhere is entered
)

// Changeable tells whether the program can change it.
func (s LoginState) Changeable() bool { return s == LoginOff || s == LoginOn || s == LoginOther }

// Note says what a switch alone does not, "" for nothing.
func (s LoginState) Note() string {
	switch s {
	case LoginBlocked:
		return words.T("Switched off in the system's own list of login items. Switch it on there.")
	case LoginOther:
		return words.T("The login item is for a copy of the program in another place. Turn this on to launch this copy instead.")
	default:
		return ""
	}
}
