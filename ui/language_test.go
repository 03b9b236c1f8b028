package ui

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// speaking makes the scenes that follow speak a language.
func speaking(t *testing.T, tag string) {
	t.Helper()
	was := sceneLanguage
	sceneLanguage = tag
	t.Cleanup(func() {
		sceneLanguage = was
		_ = words.Use("en")
	})
}

// walk calls f with every text that can be seen in o. Texts that are wrapped or cut when
// they are drawn come as a whole.
func walk(o fyne.CanvasObject, f func(string)) {
	if o == nil || !o.Visible() {
		return
	}
	switch o := o.(type) {
	case *canvas.Text:
		f(o.Text)
	case *line:
		f(o.text)
	case *paragraph:
		f(o.text)
	case *button:
		f(o.Text)
	case *check:
		f(o.Text)
	case *widget.Entry:
		f(o.PlaceHolder)
	case *entry:
		f(o.PlaceHolder)
	case *lines, *sideScroll: // the bytes of a request, and what goes into a client's file
	case *selection:
		f(o.Selected)
		for _, s := range o.Options {
			f(s)
		}
	case *fyne.Container:
		for _, c := range o.Objects {
			walk(c, f)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(o).Objects() {
			walk(c, f)
		}
	}
}

// names are the same in every language.
var names = []string{
	"Apex AI Proxy", "Cloudflare", "AI Gateway", "OpenAI", "Anthropic", "Azure", "GNOME Keyring", "GNOME", "AppIndicator", "KWallet", "Token",
	"API", "SDK", "MiB", "English", "echo#demo", "Authorization: Bearer LOCAL_KEY", "Content-Type: application/json", "LOCAL_KEY",
	"requests.har", "Claude Code", "Messages", "Chat", "Responses", "Opus", "Sonnet", "Haiku", "Fable", "default", "demo", "workers-ai", "best",
	"apex-ai-proxy token set", "Google AI Studio", "Unauthorized", "settings.toml", "[gateway]", "top_k",
}

// data are the texts of the scenes that are nobody's to translate: models, paths, clients,
// and the words of providers.
func data(c *fakeCore) []string {
	all := slices.Concat(names, c.Providers(), c.Models(), presenter.TryCommand(runtime.GOOS, c.Status().Addr, ""))
	all = append(all, "nginx (pid 1204)", "--listen", "azure-openai",
		"POST /v1/messages?beta=true", "POST https://gateway.ai.cloudflare.com/v1/0123456789abcdef0123456789abcdef/home/google-ai-studio/v1beta/openai/chat/completions", "https://gateway.ai.cloudflare.com/v1", "localhost", "https://app.example", "http://", "https://")
	all = append(all, c.finding.Said, c.finding.LogID, "0123456789abcdef", "my-gateway", "dash.cloudflare.com", "Authenticated Gateway", "AI Gateway Run", "AI Gateway Read", "Workers AI Read", "Provider Keys", "--gateway-url", "server.retries")
	all = append(all, c.finding.Gateways...)
	for _, p := range c.finding.Providers {
		all = append(all, p.Title)
	}
	for _, x := range workday() {
		all = append(all, dataOf(x)...)
	}
	for _, x := range failures() {
		all = append(all, x.ModelAsked, x.Error, presenter.Shorten(x.ModelAsked, 48), presenter.Shorten(x.Error, 200))
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // a name may be part of a longer one
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "" })
}

func dataOf(x event.Exchange) []string {
	all := []string{
		x.Client, x.Method + " " + x.Path, x.ModelAsked, x.ModelUsed, strings.TrimSuffix(x.ModelAsked, "#"+x.Provider), x.Provider,
		x.ClientProtocol, x.UpstreamProtocol, x.ErrorKind, x.CacheStatus, x.GatewayLogID, x.ID,
	}
	for _, w := range x.Warnings {
		all = append(all, w.Path)
	}
	if x.ErrorText.Empty() { // a provider's words
		all = append(all, x.Error)
	}
	return all
}

// clientData are the names of clients and what is to be typed there. The steps name buttons
// and files in English, so it is enough that they are Chinese around those.
func clientData(s *stage) []string {
	var all []string
	if s.window.guide.shown && s.window.guide.step == presenter.GuideClient {
		for _, r := range s.clients.First() {
			all = append(all, r.Text)
		}
		return all
	}
	if s.window.current != pageClients {
		return nil
	}
	for _, r := range s.clients.Rows() {
		if r.ID != "" {
			all = append(all, r.Text)
		}
	}
	card := s.window.clients.card.now()
	all = append(all, card.Name, card.Protocols, card.File)
	all = append(all, card.Variants...)
	for _, f := range card.Fields {
		all = append(all, f.Name, f.Value)
	}
	for _, text := range append(card.Steps, card.Note) {
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			all = append(all, text)
		}
	}
	all = slices.DeleteFunc(all, func(s string) bool { return s == "" })
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
	return all
}

var latin = regexp.MustCompile(`[A-Za-z]{3,}`)

// untranslated is what of a text is still English, apart from data.
func untranslated(text string, data []string) string {
	if head, cut := strings.CutSuffix(text, "…"); cut {
		text = withoutCut(head, data)
	}
	for _, d := range data {
		text = strings.ReplaceAll(text, d, "")
	}
	return latin.FindString(text)
}

// withoutCut is a text that was cut, without the beginning of data that it ends with.
func withoutCut(head string, data []string) string {
	for _, d := range data {
		for n := min(len(d), len(head)); n > 2; n-- {
			if rest, ok := strings.CutSuffix(head, d[:n]); ok {
				return rest
			}
		}
	}
	return head
}

// TestNothingIsLeftInEnglish walks every scene, the tray and its tooltip in Chinese.
func TestNothingIsLeftInEnglish(t *testing.T) {
	speaking(t, "zh-Hans")
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			s.window.win.Resize(size(1400, 3000)) // so that all rows and fields are there
			s.window.refresh()
			known := slices.Concat(clientData(s), data(s.core))
			seen := 0
			check := func(text string) {
				seen++
				if word := untranslated(text, known); word != "" {
					t.Errorf("%q is English in %q", word, text)
				}
			}
			walk(s.window.win.Content(), check)
			for _, m := range s.panel.lines {
				check(m.Label)
			}
			check(s.tray.tip)
			if seen < 20 {
				t.Errorf("only %d texts were seen", seen)
			}
		})
	}
}

// TestLanguageChangesAtOnce changes the language while something is being edited.
func TestLanguageChangesAtOnce(t *testing.T) {
	t.Cleanup(func() { _ = words.Use("en") })
	s := sceneRequests(t)
	s.window.requests.list.Select(3)
	s.window.requests.inspector.tabs.choose(tabAnswer)
	s.window.open(pageSettings)
	p := s.window.settings
	p.token.edit()
	test.Type(p.token.entry, "half-typed")
	choose(t, p, presenter.FieldLanguage, "简体中文")
	test.Tap(p.save)
	s.until("the saved settings", func() bool { return s.window.settings.said == "已保存。" })
	p = s.window.settings
	if s.window.current != pageSettings || p.token.entry.Text != "half-typed" || s.log.Selected() != 3 {
		t.Errorf("page %d, token %q, selected %d", s.window.current, p.token.entry.Text, s.log.Selected())
	}
	if got := s.inspector().tabs; got.chosen != tabAnswer || got.buttons[0].Text != "摘要" {
		t.Errorf("tab %d, the first is %q", got.chosen, got.buttons[0].Text)
	}
	if p.save.Text != "保存" || s.window.side.items[0].text != "概览" || s.menuItem("退出").Disabled {
		t.Errorf("the button says %q, the sidebar %q", p.save.Text, s.window.side.items[0].text)
	}
	if got := s.core.Settings().App.Language; got != "zh-Hans" {
		t.Errorf("saved %q", got)
	}

	// What is wrong in another field is said anew, and what was typed there stays.
	f := p.field(presenter.FieldAccount)
	choose(t, p, presenter.FieldLanguage, "English")
	test.Tap(p.save)
	retype(f.entry, "nonsense") // before the answer comes
	s.until("English", func() bool { return s.window.settings.said == "Saved." })
	f = s.window.settings.field(presenter.FieldAccount)
	if f.entry.Text != "nonsense" || !strings.HasPrefix(f.note.text, "An account ID has") {
		t.Errorf("account %q with %q", f.entry.Text, f.note.text)
	}
}

func choose(t *testing.T, p *settingsPage, name presenter.Field, text string) {
	t.Helper()
	for _, f := range p.choices {
		if f.name == name {
			f.choose.SetSelected(text)
			if f.choose.Selected != text {
				t.Fatalf("%s cannot be %q", name, text)
			}
		}
	}
}

// TestThemeIsChosen fixes light or dark, whatever the system shows, without a restart.
func TestThemeIsChosen(t *testing.T) {
	s, p := openSettings(t, newFakeCore())
	background := func(v fyne.ThemeVariant) any {
		return s.app.Settings().Theme().Color(theme.ColorNameBackground, v)
	}
	if background(theme.VariantLight) == background(theme.VariantDark) {
		t.Fatal("the theme does not follow the system")
	}
	for choice, want := range map[string]any{
		"Light": light[theme.ColorNameBackground], "Dark": dark[theme.ColorNameBackground],
	} {
		choose(t, p, presenter.FieldTheme, choice)
		test.Tap(p.save)
		s.until("the saved settings", func() bool { return p.said == "Saved." })
		if background(theme.VariantLight) != want || background(theme.VariantDark) != want {
			t.Errorf("%s: %v and %v, want %v", choice, background(theme.VariantLight), background(theme.VariantDark), want)
		}
		p.said = ""
	}
}

// An unknown language must not keep the program from starting.
func TestUnknownLanguage(t *testing.T) {
	t.Cleanup(func() { _ = words.Use("en") })
	c := newFakeCore()
	c.settings.App.Language = "tlh"
	s := newStage(t, c)
	s.start()
	if !slices.Contains(settings.Languages, words.Tag()) {
		t.Errorf("it speaks %q", words.Tag())
	}
}

// TestFilesAreWorded: Fyne's dialog with files says everything in the language of the program.
func TestFilesAreWorded(t *testing.T) {
	speaking(t, "zh-Hans")
	s := sceneReady(t)
	s.window.settings.chooseImport()
	said := map[string]bool{}
	for _, o := range test.LaidOutObjects(s.window.win.Canvas().Overlays().Top()) {
		if text, ok := o.(*canvas.Text); ok {
			said[text.Text] = true
		}
	}
	for _, text := range []string{"导入设置", "主目录", "计算机", "打开", "取消"} {
		if !said[text] {
			t.Errorf("%q is not said", text)
		}
	}
	for _, text := range []string{"Home", "Computer", "Open File", "(Parent)"} {
		if said[text] {
			t.Errorf("%q is not translated", text)
		}
	}
}
