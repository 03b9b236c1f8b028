package presenter

import "apex-ai-proxy/ui/words"

// TrayItem is one line of the tray menu.
type TrayItem struct {
	Label     string
	Action    Action
	Enabled   bool
	Separator bool
}

// trayWidth bounds the length of the status line, because menus do not wrap.
const trayWidth = 64

// TrayMenu is the tray menu for a state. It always has the same items in the same places,
// so that it can be changed in place.
func TrayMenu(h Headline, st Status, key string) []TrayItem {
	label, action, enabled := Switch(st.State)
	urls := BaseURLs(st.Addr)
	line := h.Text
	if h.Icon == IconAttention && st.State == Running {
		line = words.F("{{.State}} · attention needed", words.V{"State": line})
	}
	return []TrayItem{
		{Label: Shorten(line, trayWidth)},
		{Separator: true},
		{Label: label, Action: action, Enabled: enabled},
		{Separator: true},
		{Label: words.T("Copy OpenAI base URL"), Action: CopyOpenAI, Enabled: urls.OpenAI != ""},
		{Label: words.T("Copy Anthropic base URL"), Action: CopyAnthropic, Enabled: urls.Anthropic != ""},
		{Label: words.T("Copy local key"), Action: CopyKey, Enabled: key != ""},
		{Separator: true},
		{Label: words.T("Open window"), Action: OpenWindow, Enabled: true},
		{Separator: true},
		{Label: words.T("Quit"), Action: Quit, Enabled: true},
	}
}

// Tooltip is the text that a pointer over the tray icon shows.
func Tooltip(name string, h Headline) string { return Shorten(name+" – "+h.Text, 120) }
