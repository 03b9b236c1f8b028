package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/ui/presenter"
)

// texts are all texts below an object that can be seen.
func texts(o fyne.CanvasObject) string {
	var b strings.Builder
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if !o.Visible() {
			return
		}
		switch x := o.(type) {
		case *line:
			b.WriteString(x.text + "\n")
		case *paragraph:
			b.WriteString(x.text + "\n")
		case *entry:
			b.WriteString(x.Text + "\n")
		case *button:
			b.WriteString(x.Text + "\n")
		case *fyne.Container:
			for _, o := range x.Objects {
				walk(o)
			}
		case fyne.Widget:
			for _, o := range test.WidgetRenderer(x).Objects() {
				walk(o)
			}
		}
	}
	walk(o)
	return b.String()
}

func TestClientsCopyTheKey(t *testing.T) {
	s := sceneClients(t)
	card := s.window.clients.card
	if shown := texts(card.content); strings.Contains(shown, s.core.key) || !strings.Contains(shown, "LOCAL_KEY stands for") {
		t.Errorf("the card shows\n%s", shown)
	}
	test.Tap(card.copy)
	got := s.app.Clipboard().Content()
	for _, want := range []string{`"ANTHROPIC_AUTH_TOKEN": "` + s.core.key + `"`, `"http://127.0.0.1:8787"`, `"claude-sonnet-4-5#anthropic"`} {
		if !strings.Contains(got, want) {
			t.Errorf("the copy lacks %s:\n%s", want, got)
		}
	}
	s.clients.Choose("cline")
	s.window.clients.refresh()
	if card.copy != nil || len(card.copies) != 3 {
		t.Fatalf("Cline has %d values", len(card.copies))
	}
	for i, want := range []string{"http://127.0.0.1:8787/v1", s.core.key, "claude-sonnet-4-5#anthropic"} {
		test.Tap(card.copies[i])
		if got := s.app.Clipboard().Content(); got != want {
			t.Errorf("value %d copies %q, want %q", i, got, want)
		}
	}
}

func TestClientsVariants(t *testing.T) {
	s := sceneClients(t)
	card := s.window.clients.card
	test.Tap(card.ways[1])
	if shown := texts(card.content); !strings.Contains(shown, "ANTHROPIC_BASE_URL=") && !strings.Contains(shown, "$env:ANTHROPIC_BASE_URL") {
		t.Errorf("the card shows\n%s", shown)
	}
	if s.window.win.Canvas().Focused() != card.ways[1] || card.ways[1].Importance == widget.LowImportance || card.ways[0].Importance != widget.LowImportance {
		t.Error("the chosen way is not marked, or has lost the focus")
	}
}

func TestClientsModel(t *testing.T) {
	s := sceneClients(t)
	card := s.window.clients.card
	s.window.win.Canvas().Focus(card.model)
	card.model.SetText("")
	test.Type(card.model, "gpt-5#openai")
	if shown := texts(card.content); !strings.Contains(shown, `"gpt-5#openai"`) || card.model.Text != "gpt-5#openai" {
		t.Errorf("the card shows\n%s", shown)
	}
	card.model.SetText("")
	if shown := texts(card.content); !strings.Contains(shown, `"claude-sonnet-4-5#anthropic"`) || card.model.Text != "" {
		t.Errorf("without a model the field holds %q, the card\n%s", card.model.Text, shown)
	}
	test.Tap(card.choose)
	if s.window.win.Canvas().Overlays().Top() == nil {
		t.Error("no menu of models opens")
	}
	items := card.models()
	if len(items) != 4 || items[0].Label != "openai" {
		t.Fatalf("%d providers", len(items))
	}
	items[0].ChildMenu.Items[1].Action()
	if card.model.Text != "gpt-5-mini#openai" || s.clients.Model(s.settings) != card.model.Text {
		t.Errorf("the menu chooses %q", card.model.Text)
	}
	s.window.open(pageOverview)
	s.window.open(pageClients)
	s.clients.SetModel("echo#demo")
	s.window.refresh()
	if card.model.Text != "echo#demo" {
		t.Errorf("the field holds %q", card.model.Text)
	}
}

// TestClientsModelFollowsTheGateway sees to it that a model is only kept when the user has
// chosen it.
func TestClientsModelFollowsTheGateway(t *testing.T) {
	s := sceneFirst(t)
	s.window.open(pageClients)
	card := s.window.clients.card
	set := func(account string) {
		s.settings.Gateway.Account, s.settings.Gateway.ID = account, "home"
		s.window.refresh()
	}
	for _, c := range []struct{ account, want string }{{"", "echo#demo"}, {"0123", "claude-sonnet-4-5#anthropic"}, {"", "echo#demo"}} {
		s.window.win.Canvas().Unfocus()
		set(c.account)
		if card.model.Text != c.want || !strings.Contains(texts(card.content), `"`+c.want+`"`) {
			t.Errorf("with the account %q: %q", c.account, card.model.Text)
		}
	}
}

func TestClientsSearch(t *testing.T) {
	s := sceneClients(t)
	c := s.window.clients
	s.window.win.Canvas().Focus(c.search)
	test.Type(c.search, "tunnel")
	if len(c.list.rows) != 2 || s.clients.Chosen() != "cursor" || !strings.Contains(texts(c.card.content), "refuse localhost") {
		t.Errorf("rows %v, chosen %s", c.list.rows, s.clients.Chosen())
	}
	test.Type(c.search, " xyz")
	if c.nothing.Hidden || len(c.list.rows) != 0 {
		t.Error("nothing says that nothing was found")
	}
	c.search.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if c.search.Text != "" || len(c.list.rows) < 20 || !c.nothing.Hidden {
		t.Errorf("Escape leaves %q and %d rows", c.search.Text, len(c.list.rows))
	}
}

func TestClientsByKeyboard(t *testing.T) {
	s := sceneClients(t)
	l := s.window.clients.list
	if s.window.win.Canvas().Focused() != l {
		t.Fatal("the list has not got the focus")
	}
	for _, c := range []struct {
		key  fyne.KeyName
		want string
	}{
		{fyne.KeyDown, "codex"}, {fyne.KeyUp, "claude-code"}, {fyne.KeyEnd, "curl"}, {fyne.KeyHome, "claude-code"}, {fyne.KeyPageDown, "gemini-cli"}, {fyne.KeyDown, "vscode"},
	} {
		l.TypedKey(&fyne.KeyEvent{Name: c.key})
		if got := s.clients.Chosen(); got != c.want {
			t.Errorf("%s chooses %s, want %s", c.key, got, c.want)
		}
	}
	l.OnSelected(0) // a heading
	if s.clients.Chosen() != "vscode" {
		t.Errorf("a heading chooses %s", s.clients.Chosen())
	}
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if s.window.win.Canvas().Focused() != s.window.clients.search {
		t.Error("Escape does not go to the search")
	}
}

func TestClientsUnknownAddress(t *testing.T) {
	s := sceneClientsStopped(t)
	card := s.window.clients.card
	if card.copy != nil || !strings.Contains(texts(card.content), "known once the proxy runs") {
		t.Errorf("the card shows\n%s", texts(card.content))
	}
	s.core.set(presenter.Status{State: presenter.Running, Addr: "127.0.0.1:4711"})
	s.until("the snippet", func() bool { return card.copy != nil })
	if shown := texts(card.content); !strings.Contains(shown, "127.0.0.1:4711") || strings.Contains(shown, "known once") {
		t.Errorf("the card shows\n%s", shown)
	}
}

// TestClientsStayStill sees to it that news of the proxy does not build the card again,
// which would take the focus away.
func TestClientsStayStill(t *testing.T) {
	s := sceneClients(t)
	card := s.window.clients.card
	before := card.copy
	s.core.set(s.core.Status())
	s.settle()
	s.window.refresh()
	if card.copy != before {
		t.Error("the card was made again although nothing has changed")
	}
}

// TestClientsWheel: over a snippet the wheel moves the page, and sideways the snippet.
func TestClientsWheel(t *testing.T) {
	s := sceneClient("openai-sdk", 2)(t)
	s.window.win.Resize(size(760, 520))
	card := s.window.clients.card
	s.window.win.Content().Refresh()
	at := fyne.CurrentApp().Driver().AbsolutePositionForObject(card.side).AddXY(20, 10)
	turn := func(dx, dy float32) { test.Scroll(s.window.win.Canvas(), at, dx, dy) }
	turn(0, -40)
	if page, snippet := card.scroll.Offset, card.side.Offset; page.Y != 40*wheelFactor() || snippet.X != 0 {
		t.Errorf("down: the page is at %v, the snippet at %v", page, snippet)
	}
	turn(-30, 0)
	if page, snippet := card.scroll.Offset, card.side.Offset; page.Y != 40*wheelFactor() || snippet.X != 30*wheelFactor() {
		t.Errorf("sideways: the page is at %v, the snippet at %v", page, snippet)
	}
}

func TestClientsAreReached(t *testing.T) {
	s := sceneReady(t)
	test.Tap(s.window.overview.clients)
	if s.window.current != pageClients {
		t.Error("the overview does not lead to the clients")
	}
}
