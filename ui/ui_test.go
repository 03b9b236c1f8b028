package ui

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

func TestTrayStartsAndStops(t *testing.T) {
	s := newStage(t, newFakeCore())
	s.start()
	if got := s.panel.lines[0]; got.Label != "Stopped" || !got.Disabled {
		t.Errorf("status line %+v", got)
	}
	s.menuItem("Start").Action()
	s.until("the running proxy", func() bool { return s.status.State == presenter.Running })
	if got := s.panel.lines[0].Label; got != "Running on 127.0.0.1:8787" {
		t.Errorf("status line %q", got)
	}
	if s.tray.icon != presenter.IconRunning || s.tray.tip != "Apex AI Proxy – Running on 127.0.0.1:8787" {
		t.Errorf("icon %d, tooltip %q", s.tray.icon, s.tray.tip)
	}
	s.menuItem("Stop").Action()
	s.until("the stopped proxy", func() bool { return s.status.State == presenter.Stopped })
	if s.tray.icon != presenter.IconStopped {
		t.Errorf("icon %d", s.tray.icon)
	}
}

func TestTrayCopies(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	for label, want := range map[string]string{
		"Copy OpenAI base URL":    "http://127.0.0.1:8787/v1",
		"Copy Anthropic base URL": "http://127.0.0.1:8787",
		"Copy local key":          s.core.key,
	} {
		s.menuItem(label).Action()
		if got := s.app.Clipboard().Content(); got != want {
			t.Errorf("%s copied %q, want %q", label, got, want)
		}
	}
}

func TestFailureIsShown(t *testing.T) {
	c := newFakeCore()
	c.startErr = &presenter.PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 12)", Err: errors.New("in use")}
	s := newStage(t, c)
	s.start()
	test.Tap(s.window.overview.power)
	s.until("the failure", func() bool { return s.status.State == presenter.Failed })
	if got := s.window.overview.headline.text; got != "Port 8787 is in use by nginx (pid 12)" {
		t.Errorf("headline %q", got)
	}
	if s.tray.icon != presenter.IconAttention || s.window.overview.power.Disabled() {
		t.Errorf("icon %d, button disabled %v", s.tray.icon, s.window.overview.power.Disabled())
	}
}

func TestCloseHidesOnlyWhereTheTrayCanOpen(t *testing.T) {
	for name, c := range map[string]struct {
		hosted, keep bool
		quits        int
	}{
		"tray":            {true, true, 0},
		"no tray":         {false, true, 1},
		"not wanted":      {true, false, 1},
		"neither of both": {false, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			core := newFakeCore()
			core.settings.App.KeepRunning = c.keep
			s := newStage(t, core)
			s.hosted = c.hosted
			s.start()
			s.window.close()
			s.until("the window to go", func() bool { return !s.window.visible && !s.quitting || s.quits > 0 })
			if s.quits != c.quits {
				t.Errorf("quit %d times, want %d", s.quits, c.quits)
			}
			if c.quits == 0 {
				s.act(presenter.OpenWindow)
				if !s.window.visible {
					t.Error("the window does not come back")
				}
			}
		})
	}
}

func TestHiddenStart(t *testing.T) {
	t.Run("tray", func(t *testing.T) {
		s := newStage(t, newFakeCore())
		s.Start(true)
		s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
		s.pass()
		if s.window != nil {
			t.Error("the window was opened")
		}
		s.Show()
		s.until("the window", func() bool { return s.window != nil })
	})
	t.Run("no tray", func(t *testing.T) {
		s := newStage(t, newFakeCore())
		s.hosted = false
		s.Start(true)
		for range hostTries {
			s.until("an answer about the tray", func() bool { return len(s.timers) > 0 || s.window != nil })
			s.pass()
		}
		s.until("the window", func() bool { return s.window != nil })
	})
	t.Run("late tray", func(t *testing.T) {
		s := newStage(t, newFakeCore())
		s.hosted = false
		s.Start(true)
		s.until("an answer about the tray", func() bool { return len(s.timers) > 0 })
		s.hosted = true
		s.pass()
		s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
		s.Close()
		s.settle()
		if s.window != nil {
			t.Error("the window was opened although a tray came")
		}
	})
}

func TestQuitDrains(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.act(presenter.Quit)
	if s.quits != 0 || s.tray.items()[0].Label != "Quitting…" {
		t.Errorf("quit %d times before the proxy has stopped; the tray says %q", s.quits, s.tray.items()[0].Label)
	}
	s.until("the end", func() bool { return s.quits == 1 })
	if s.core.Status().State != presenter.Stopped {
		t.Error("the proxy still runs")
	}
	s.show()
	if s.quits != 1 {
		t.Errorf("quit %d times", s.quits)
	}
}

// What is told late of the way to a state does not take that state's place.
func TestLateStatus(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.act(presenter.StopProxy)
	s.until("the end", func() bool { return s.status.State == presenter.Stopped })
	for _, f := range s.core.watch {
		f(presenter.Status{State: presenter.Stopping})
	}
	s.settle()
	if got := s.tray.items()[0].Label; got != "Stopped" {
		t.Errorf("the tray says %q", got)
	}
}

func TestShortcuts(t *testing.T) {
	s := newStage(t, newFakeCore())
	s.start()
	press := func(k fyne.KeyName) {
		c := s.window.win.Canvas()
		shortcut := &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}
		if f, ok := c.Focused().(fyne.Shortcutable); ok {
			f.TypedShortcut(shortcut)
			return
		}
		s.window.pass(shortcut)
	}
	for _, c := range []struct {
		key  fyne.KeyName
		page int
	}{{fyne.Key2, pageRequests}, {fyne.KeyComma, pageSettings}, {fyne.Key1, pageOverview}, {fyne.Key3, pageModels}, {fyne.Key4, pageClients}, {fyne.Key5, pageSettings}} {
		press(c.key)
		if s.window.current != c.page {
			t.Errorf("%s opened page %d, want %d", c.key, s.window.current, c.page)
		}
	}
	s.window.win.Canvas().Focus(s.window.settings.fields[0].entry)
	press(fyne.Key2)
	if s.window.current != pageRequests {
		t.Error("a shortcut does not work while a text field has the focus")
	}
	press(fyne.KeyW)
	s.until("the window to hide", func() bool { return !s.window.visible })
	s.show()
	press(fyne.KeyQ)
	s.until("the end", func() bool { return s.quits == 1 })
}

func TestSidebarByKeyboard(t *testing.T) {
	s := newStage(t, newFakeCore())
	s.start()
	item := s.window.side.items[pageRequests]
	s.window.win.Canvas().Focus(item)
	item.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if s.window.current != pageRequests || !item.selected {
		t.Error("Return does not open a page")
	}
	s.window.side.items[pageSettings].TypedRune(' ')
	if s.window.current != pageSettings {
		t.Error("space does not open a page")
	}
}

func TestCopyConfirms(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	b := s.newCopy(func() string { return "text" })
	test.Tap(b)
	test.Tap(b)
	if s.app.Clipboard().Content() != "text" || b.Text != "Copied" {
		t.Errorf("clipboard %q, button %q", s.app.Clipboard().Content(), b.Text)
	}
	s.timers[0]()
	s.settle()
	if b.Text != "Copied" {
		t.Error("the first copy ended the confirmation of the second")
	}
	s.pass()
	if b.Text != "Copy" {
		t.Errorf("button %q", b.Text)
	}
}

// What has happened is seen with the batch that says so, also right after another one, and
// where nothing was to be seen before.
func TestOverviewCountsAtOnce(t *testing.T) {
	s := sceneReady(t)
	o := s.window.overview
	for i, want := range []string{"1", "2", "3"} {
		x := workday()[1]
		x.ID, x.Start = fmt.Sprint("req_now", i), time.Now()
		s.publish(x)
		if got := o.plots[0].value.text; got != want || o.activity.Hidden || o.activity.Size().Height < plotHeight {
			t.Errorf("%q requests, want %q, in a part of %v, hidden %t", got, want, o.activity.Size(), o.activity.Hidden)
		}
		driver := fyne.CurrentApp().Driver()
		end := driver.AbsolutePositionForObject(o.activity).Y + o.activity.Size().Height
		if next := driver.AbsolutePositionForObject(o.openAI).Y; next < end {
			t.Errorf("the page goes on at %v, before the last hour ends at %v", next, end)
		}
	}
}

func TestOverviewHidesTheKey(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	o := s.window.overview
	if o.key.text == s.core.key {
		t.Fatal("the key is shown at once")
	}
	test.Tap(o.reveal)
	if o.key.text != s.core.key || o.reveal.Text != "Hide" {
		t.Errorf("after Show: %q, button %q", o.key.text, o.reveal.Text)
	}
	s.core.key = "apx-" + strings.Repeat("W", 43) // as long as one that the program makes
	for _, width := range []float32{760, 1280} {
		s.window.win.Resize(size(width, 700))
		s.window.refresh()
		drawn := ""
		for _, l := range test.WidgetRenderer(o.key).Objects() {
			if end := l.Position().Y + l.Size().Height; l.MinSize().Width > o.key.Size().Width || end > o.key.Size().Height+1 {
				t.Errorf("at %v, %q does not fit into %v", width, l.(*line).text, o.key.Size())
			}
			drawn += l.(*line).text
		}
		if drawn != s.core.key {
			t.Errorf("at %v the key is drawn as %q", width, drawn)
		}
	}
	test.Tap(o.reveal)
	if o.key.text == s.core.key {
		t.Error("the key cannot be hidden")
	}
	command := ""
	for _, l := range o.try { // as many lines as the longest command has
		command += l.text
	}
	if command == "" || strings.Contains(command, s.core.key) {
		t.Errorf("the command shows %q", command)
	}
}

func TestOverviewLeadsToWhatIsMissing(t *testing.T) {
	s := newStage(t, newFakeCore())
	s.start()
	o := s.window.overview
	if o.gaps.Hidden || len(o.gapList.Objects) != 3 {
		t.Fatalf("%d gaps, hidden %v", len(o.gapList.Objects), o.gaps.Hidden)
	}
	s.window.openSettings(presenter.FieldGateway)
	if s.window.current != pageSettings || s.window.win.Canvas().Focused() != s.window.settings.fields[1].entry {
		t.Error("the gateway's field has not got the cursor")
	}
	s.window.openSettings(presenter.FieldToken)
	if s.window.win.Canvas().Focused() != s.window.settings.token.entry {
		t.Error("the token's field has not got the cursor")
	}
}

// buttonIn is the button with a text in a part of a page.
func buttonIn(t *testing.T, part fyne.CanvasObject, text string) *button {
	t.Helper()
	var find func(fyne.CanvasObject) *button
	find = func(o fyne.CanvasObject) *button {
		switch o := o.(type) {
		case *button:
			if o.Text == text {
				return o
			}
		case *fyne.Container:
			for _, child := range o.Objects {
				if b := find(child); b != nil {
					return b
				}
			}
		}
		return nil
	}
	b := find(part)
	if b == nil {
		t.Fatalf("there is no button %q", text)
	}
	return b
}

// A keychain that is locked is said to be, and opens from where that is said.
func TestALockedKeychainCanBeUnlocked(t *testing.T) {
	c := readyCore()
	c.states[presenter.GatewayToken] = presenter.SecretLocked
	s := newStage(t, c)
	s.start()
	o := s.window.overview
	unlock := func() {
		t.Helper()
		if g := o.shown; len(g) != 1 || !strings.Contains(g[0].Text, "locked") {
			t.Fatalf("the overview asks for %+v", g)
		}
		test.Tap(buttonIn(t, o.gapList, "Unlock"))
		if s.token != presenter.SecretWaiting {
			t.Errorf("a click is answered by %v", s.token)
		}
	}
	unlock()
	s.until("an answer", func() bool { return s.token == presenter.SecretLocked })
	if s.window.win.Canvas().Overlays().Top() == nil || s.window.current != pageOverview {
		t.Error("nobody says that it is still locked")
	}
	s.press(fyne.KeyEscape)
	c.mu.Lock()
	delete(c.states, presenter.GatewayToken)
	c.mu.Unlock()
	unlock()
	s.until("the token", func() bool { return s.token == presenter.SecretPresent })
	if o.gaps.Visible() || s.window.win.Canvas().Overlays().Top() != nil {
		t.Error("the overview still asks for something")
	}
}

func TestWaitingKeychain(t *testing.T) {
	c := readyCore()
	c.states[presenter.GatewayToken] = presenter.SecretWaiting
	s := newStage(t, c)
	s.start()
	if s.token != presenter.SecretWaiting || s.tray.icon != presenter.IconAttention {
		t.Errorf("token %v, icon %d", s.token, s.tray.icon)
	}
	c.mu.Lock()
	delete(c.states, presenter.GatewayToken)
	c.mu.Unlock()
	s.checkToken()
	s.until("the token", func() bool { return s.token == presenter.SecretPresent })
}

func TestRequestsLive(t *testing.T) {
	s := sceneNoRequests(t)
	r := s.window.requests
	if r.vacancies[presenter.Untouched].Hidden || !r.list.Hidden {
		t.Error("the empty state is not shown")
	}
	x := event.Exchange{ID: "req_1", Revision: 1, Start: time.Now(), ModelAsked: "echo#demo", ModelUsed: "echo", Provider: "demo"}
	s.publish(x)
	if !r.vacancies[presenter.Untouched].Hidden || r.count.text != "1 request, 1 running" {
		t.Errorf("empty hidden %v, count %q", r.vacancies[presenter.Untouched].Hidden, r.count.text)
	}
	r.list.Select(0)
	if r.inspector.content.Hidden || r.inspector.state.text != "Waiting" {
		t.Errorf("detail hidden %v, state %q", r.inspector.content.Hidden, r.inspector.state.text)
	}
	x.Revision, x.Phase, x.Status, x.Error = 2, event.Failed, 502, "The provider closed the connection."
	s.publish(x)
	if r.inspector.state.text != "502 Failed" || r.inspector.summary.error.text != x.Error {
		t.Errorf("state %q, error %q", r.inspector.state.text, r.inspector.summary.error.text)
	}
	if r.count.text != "1 request" {
		t.Errorf("count %q", r.count.text)
	}
	test.Tap(r.clear)
	if r.vacancies[presenter.Cleared].Hidden || !r.vacancies[presenter.Untouched].Hidden || r.inspector.content.Visible() || len(s.core.bus.Recent()) != 0 {
		t.Error("clear left something")
	}
	if s.window.open(pageOverview); s.window.overview.activity.Hidden || s.window.overview.plots[0].value.text != "1" {
		t.Errorf("after clear, the last hour has %q requests", s.window.overview.plots[0].value.text)
	}
}

func many(s *stage, from, to int) {
	start := time.Now().Add(-time.Hour)
	for n := from; n < to; n++ {
		s.core.bus.Publish(event.Exchange{
			ID: fmt.Sprintf("req_%d", n), Revision: 1,
			Start: start.Add(time.Duration(n) * time.Second), Phase: event.Done, Status: 200, ModelUsed: "m",
		})
	}
	s.until("the rows", func() bool { return s.log.Len() == to })
}

func TestRequestsFollowTheirEnd(t *testing.T) {
	s := sceneNoRequests(t)
	s.window.win.Resize(size(1000, 600))
	r := s.window.requests
	end := func() float32 { return float32(s.log.Len())*rowHeight - r.list.Size().Height }
	many(s, 0, 100)
	room := r.list.Size()
	if r.content.Refresh(); r.list.Size() != room {
		t.Errorf("the list went to its end in %v, but has %v", room, r.list.Size())
	}
	if got := r.list.GetScrollOffset(); got < end()-1 || !r.newest.Hidden {
		t.Fatalf("offset %v, want the end %v", got, end())
	}
	r.list.ScrollToOffset(300) // the user reads something
	many(s, 100, 120)
	if got := r.list.GetScrollOffset(); got != 300 || r.newest.Hidden {
		t.Errorf("offset %v, want 300; button hidden %v", got, r.newest.Hidden)
	}
	r.list.Select(3)
	many(s, 120, 140)
	if got := r.list.GetScrollOffset(); s.log.Selected() != 3 || got > 300 {
		t.Errorf("selected %d, offset %v", s.log.Selected(), got)
	}
	test.Tap(r.newest)
	if got := r.list.GetScrollOffset(); got < end()-1 || !r.newest.Hidden {
		t.Errorf("offset %v, want the end %v", got, end())
	}
	if s.log.Selected() != 3 {
		t.Error("the selection was lost")
	}
	r.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	if s.log.Selected() != 4 {
		t.Errorf("Down selected %d", s.log.Selected())
	}
	r.list.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if s.log.Selected() != -1 || r.inspector.content.Visible() {
		t.Error("Escape does not close the detail")
	}
}

func TestHiddenWindowStaysRight(t *testing.T) {
	s := sceneNoRequests(t)
	s.window.close()
	s.until("the window to hide", func() bool { return !s.window.visible })
	many(s, 0, 5)
	if s.window.requests.count.text != "" {
		t.Error("a hidden window was drawn")
	}
	s.show()
	if s.window.requests.count.text != "5 requests" {
		t.Errorf("count %q", s.window.requests.count.text)
	}
}

// A list that is paused while it has no rows says so, and can be let go on.
func TestAPausedListWithoutRowsSaysSo(t *testing.T) {
	s := sceneRequests(t)
	r := s.window.requests
	r.togglePause()
	for _, x := range s.log.All() { // so that nothing runs any more
		x.Phase, x.Revision = event.Done, x.Revision+1
		s.log.Apply([]event.Exchange{x})
	}
	r.forget()
	if !r.vacancies[presenter.Halted].Visible() || !r.pause.Visible() {
		t.Fatal("nothing says that the list is paused, or ends that")
	}
	s.log.Apply([]event.Exchange{{ID: "new", Start: time.Now(), Revision: 1}})
	r.refresh()
	if !r.vacancies[presenter.Halted].Visible() || r.list.Visible() {
		t.Error("new requests end the pause, or are said not to match a filter")
	}
	test.Tap(r.pause)
	if !r.list.Visible() || r.vacancies[presenter.Halted].Visible() || s.log.Len() != 1 {
		t.Errorf("the list does not go on: %d rows", s.log.Len())
	}
}

// Fyne forgets how widgets are drawn that were not seen for a minute.
func TestHeadIsDrawnAgain(t *testing.T) {
	test.NewTempApp(t)
	h := newHead()
	h.Resize(fyne.NewSize(1000, rowHeight))
	for i, t2 := range h.CreateRenderer().(*rowRenderer).texts {
		if t2.Hidden != !place(1000)[i].shown || !t2.Hidden && t2.Text == "" {
			t.Errorf("column %d: hidden %t, text %q", i, t2.Hidden, t2.Text)
		}
	}
}

func TestColumnsFit(t *testing.T) {
	for width := float32(584); width <= 1600; width += 8 {
		cells := place(width)
		right := float32(0)
		for i, c := range cells {
			if !c.shown {
				continue
			}
			if c.x < right || c.width < 30 {
				t.Fatalf("width %v: column %d lies at %v with %v after %v", width, i, c.x, c.width, right)
			}
			right = c.x + c.width
		}
		if right > width-rowInset+1 {
			t.Fatalf("width %v: the columns end at %v", width, right)
		}
		for _, must := range []int{colTime, colModel, colState, colDuration} {
			if !cells[must].shown {
				t.Fatalf("width %v: column %d is not shown", width, must)
			}
		}
	}
}

func BenchmarkRowsRefresh(b *testing.B) {
	test.NewTempApp(b)
	fyne.CurrentApp().Settings().SetTheme(Theme{})
	log := presenter.NewLog(10000)
	batch := workday()
	for n := range 9000 {
		x := batch[n%10]
		x.ID, x.Start = fmt.Sprint(n), x.Start.Add(time.Duration(n)*time.Second)
		batch = append(batch, x)
	}
	log.Apply(batch)
	r := newRows(log, func(int) {})
	w := test.NewWindow(r)
	defer w.Close()
	w.Resize(size(1200, 800))
	for n := 0; b.Loop(); n++ {
		r.ScrollToOffset(float32(n%100) * rowHeight * 20)
		r.Refresh()
	}
}

// A failed row keeps its model, and says beside its state what went wrong.
func TestRowSaysWhatWentWrong(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(Theme{})
	r := newRow()
	renderer := test.WidgetRenderer(r).(*rowRenderer)
	for _, c := range []struct {
		width float32
		state string
	}{{1400, "429 Rate limit"}, {560, "429"}} {
		r.set(presenter.Row{}, false)
		r.Resize(size(c.width, rowHeight))
		failed := presenter.Row{Model: "gpt-5#openai", State: "429 Rate limit", Code: "429", Error: "The provider asks to wait 14 seconds.", Duration: "340 ms", Tone: presenter.ToneBad}
		r.set(failed, false)
		e := renderer.error
		if !e.Visible() || len(e.Text) < 15 || renderer.texts[colModel].Text != failed.Model || renderer.texts[colState].Text != c.state {
			t.Errorf("at %v: %q, %q, %q", c.width, renderer.texts[colModel].Text, renderer.texts[colState].Text, e.Text)
		}
		for i, text := range renderer.texts {
			right := text.Position().X + fyne.MeasureText(text.Text, text.TextSize, text.TextStyle).Width
			if text.Visible() && !columns[i].right && text.Position().X < e.Position().X && right > e.Position().X {
				t.Errorf("at %v: %q lies below the error", c.width, text.Text)
			}
			if text.Visible() && i > colState {
				t.Errorf("at %v: %q is beside the error", c.width, text.Text)
			}
		}
		if right := e.Position().X + fyne.MeasureText(e.Text, e.TextSize, e.TextStyle).Width; right > c.width-rowInset+1 {
			t.Errorf("at %v the error ends at %v", c.width, right)
		}
		failed.Error, failed.State = "", "200"
		r.set(failed, false)
		if e.Visible() || !renderer.texts[colDuration].Visible() || renderer.texts[colState].Text != "200" {
			t.Errorf("at %v: a row that went well shows %q", c.width, e.Text)
		}
	}
}
