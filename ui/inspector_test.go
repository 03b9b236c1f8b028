package ui

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/presenter"
)

const (
	clientBody = `{"model":"claude-haiku-4-5","max_tokens":32000,"system":[{"type":"text","text":"You are a coding assistant. Be exact, and change as little as possible.","cache_control":{"type":"ephemeral"}}],"messages":[{"role":"user","content":[{"type":"text","text":"Read main.go and tell me what it does."}]}],"top_k":40,"tools":[{"name":"Read","description":"Reads a file","input_schema":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}],"stream":true}`
	sentBody   = `{"model":"gemini-2.5-pro","max_tokens":32000,"messages":[{"role":"system","content":"You are a coding assistant. Be exact, and change as little as possible."},{"role":"user","content":"Read main.go and tell me what it does."}],"tools":[{"type":"function","function":{"name":"Read","description":"Reads a file","parameters":{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}],"stream":true,"stream_options":{"include_usage":true}}`
	cameBody   = "data: {\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"gemini-2.5-pro\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"It starts the program.\"},\"finish_reason\":null}]}\n\ndata: [DONE]\n\n"
	gaveBody   = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[]}}\n\nevent: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"It starts the program.\"}}\n\n"
)

// kept puts the bytes of an exchange into the store.
func kept(s *capture.Store, id string) {
	r := s.Open(id)
	h := http.Header{"Content-Type": {"application/json"}, "Anthropic-Version": {"2023-06-01"}, "X-Api-Key": {"secret"}, "User-Agent": {"claude-cli/2.1.330 (external, cli)"}}
	r.Request(capture.ClientRequest, "POST", "/v1/messages?beta=true", h, []byte(clientBody))
	r.Request(capture.UpstreamRequest, "POST", "https://gateway.ai.cloudflare.com/v1/0123456789abcdef0123456789abcdef/home/google-ai-studio/v1beta/openai/chat/completions", http.Header{"Content-Type": {"application/json"}, "Cf-Aig-Authorization": {"Bearer secret"}}, []byte(sentBody))
	events := http.Header{"Content-Type": {"text/event-stream"}}
	r.Answer(capture.UpstreamAnswer, 200, events)
	r.Write(capture.UpstreamAnswer, []byte(cameBody))
	r.Answer(capture.ClientAnswer, 200, events)
	r.Write(capture.ClientAnswer, []byte(gaveBody))
	r.End(false)
}

// sceneInspector is the inspector with the bytes of a converted exchange.
func sceneInspector(tab int) func(*testing.T) *stage {
	return func(t *testing.T) *stage {
		s := sceneNoRequests(t)
		for _, x := range workday() {
			x.Captured = x.ClientProtocol != ""
			s.core.bus.Publish(x)
		}
		s.until("the rows", func() bool { return s.log.Len() == len(workday()) })
		x, _ := s.core.bus.Find(workday()[4].ID)
		kept(s.core.bytes, x.ID)
		s.window.requests.list.Select(4)
		s.window.requests.inspector.tabs.choose(tab)
		s.until("the bytes", func() bool { return tab == tabSummary || s.window.requests.inspector.seen.ID == x.ID })
		return s
	}
}

func (s *stage) inspector() *inspector { return s.window.requests.inspector }

// text is what a pane shows, wrapped as it is.
func (l *lines) content() string {
	var b strings.Builder
	for _, r := range l.rows {
		b.WriteString(l.row(r).text + "\n")
	}
	return b.String()
}

// draft opens the box in which a request is edited.
func (s *stage) draft() (model, body *entry, send *button) {
	s.t.Helper()
	s.inspector().edit()
	for _, o := range test.LaidOutObjects(s.window.win.Canvas().Overlays().Top()) {
		switch o := o.(type) {
		case *entry:
			if o.MultiLine {
				body = o
			} else {
				model = o
			}
		case *button:
			send = o // the last one
		}
	}
	if model == nil || body == nil || send == nil || send.Text != "Send" {
		s.t.Fatal("no fields to edit")
	}
	return model, body, send
}

// The model that was chosen stays when another part of the body is edited, also before the
// body has followed it; and it follows the body's own.
func TestDraftKeepsTheModel(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	model, body, send := s.draft()
	model.SetText("gpt-5#openai")
	body.SetText(body.Text + " ")
	if model.Text != "gpt-5#openai" {
		t.Fatalf("an edit of the body sets the model to %q", model.Text)
	}
	s.pass()
	if got, _ := presenter.BodyModel(body.Text); got != "gpt-5#openai" {
		t.Errorf("the body asks for %q", got)
	}
	body.SetText(presenter.WithModel(body.Text, "grok-4#grok"))
	if model.Text != "grok-4#grok" {
		t.Errorf("the body's model is not followed: %q", model.Text)
	}
	model.SetText("gpt-5#openai")
	test.Tap(send) // at once
	s.until("the request", func() bool { return s.core.sent() > 0 })
	if r := s.core.replays[0]; r.Model != "gpt-5#openai" {
		t.Errorf("sent: %+v", r)
	}
}

// Tab goes through what is edited to the answers, in the order in which they are seen.
func TestDraftFocusOrder(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	model, body, send := s.draft()
	c := s.window.win.Canvas()
	var got []fyne.Focusable
	for range 5 {
		got = append(got, c.Focused())
		c.FocusNext()
	}
	cancel, _ := got[2].(*button)
	if got[0] != model || got[1] != body || cancel == nil || cancel.Text != "Cancel" || got[3] != send || got[4] != model {
		t.Errorf("Tab goes %v", got)
	}
}

// What was edited in a body is not lost with a key: it is asked about, and Escape again goes
// back to it. Another model alone is no such work.
func TestDraftIsNotLost(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	model, _, _ := s.draft()
	model.SetText("gpt-5#openai")
	s.pass()
	s.press(fyne.KeyEscape)
	if len(s.window.boxes) != 0 {
		t.Fatal("another model is asked about")
	}
	_, body, _ := s.draft()
	c := s.window.win.Canvas()
	c.Focus(body)
	body.SetText(body.Text + " ")
	for _, key := range []fyne.KeyName{fyne.KeyEscape, fyne.KeyReturn} { // on Cancel
		s.press(fyne.KeyEscape)
		if !slices.Contains(s.texts(), "Discard your edits?") {
			t.Fatalf("nothing is asked: %q", s.texts())
		}
		s.press(key)
		if len(s.window.boxes) != 1 || c.Focused() != fyne.Focusable(body) {
			t.Fatalf("%s does not lead back: %d boxes", key, len(s.window.boxes))
		}
	}
	s.press(fyne.KeyEscape)
	c.FocusNext()
	s.press(fyne.KeyReturn)
	if len(s.window.boxes) != 0 {
		t.Error("the edits are not discarded")
	}
}

// A body that cannot be read is not sent: its line is named while it is edited.
func TestDraftNamesTheLine(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	model, body, send := s.draft()
	whole := body.Text
	body.SetText(strings.Replace(whole, "{\n", "{\n}", 1))
	if !send.Disabled() {
		t.Error("it can be sent")
	}
	model.OnSubmitted(model.Text)
	if s.window.win.Canvas().Overlays().Top() == nil {
		t.Error("Enter sends it")
	}
	body.SetText(whole)
	if send.Disabled() {
		t.Error("it cannot be sent once it is mended")
	}
}

func TestInspectorShowsBothSides(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in := s.inspector()
	left, right := in.bytes.left, in.bytes.right
	if !strings.Contains(left.text.content(), `"top_k": 40`) || !strings.Contains(right.text.content(), `"include_usage": true`) {
		t.Errorf("left\n%s\nright\n%s", left.text.content(), right.text.content())
	}
	if left.head.text != "POST /v1/messages?beta=true" || !strings.Contains(in.bytes.note.text, "only on the left") {
		t.Errorf("head %q, note %q", left.head.text, in.bytes.note.text)
	}
	in.headers.SetChecked(true)
	if got := left.text.content(); !strings.Contains(got, "X-Api-Key: ••••••••") || strings.Contains(got, "secret") {
		t.Errorf("headers\n%s", got)
	}
	in.raw.SetChecked(true)
	s.until("the raw form", func() bool { return in.form == presenter.AsSent })
	if got := left.text.content(); !strings.Contains(got, `{"model":"claude-haiku-4-5","max_tokens":`) {
		t.Errorf("as sent\n%s", got)
	}
	in.tabs.choose(tabAnswer)
	if !strings.Contains(right.text.content(), "event: message_start") || right.head.text != "200 OK" {
		t.Errorf("answer\n%s", right.text.content())
	}
	in.tabs.choose(tabSummary)
	if !in.bytes.content.Hidden || !in.summary.content.Visible() {
		t.Error("the summary is not shown")
	}
}

// Neither what is said of a body nor its button takes the room of the side's name, and what is
// said stands behind the line of the request, in the same line.
func TestInspectorNamesItsSidesInFull(t *testing.T) {
	s := sceneRefused(t)
	s.picture(theme.VariantLight, pictureSizes["small"])
	driver := fyne.CurrentApp().Driver()
	for _, p := range []*pane{s.inspector().bytes.left, s.inspector().bytes.right} {
		size := p.title.Theme().Size(p.title.face.size)
		if whole := fyne.MeasureText(p.title.text, size, p.title.face.style).Width; p.title.Size().Width < whole {
			t.Errorf("%q has %v of %v", p.title.text, p.title.Size().Width, whole)
		}
		head, note := driver.AbsolutePositionForObject(p.head), driver.AbsolutePositionForObject(p.note)
		if end := head.X + p.head.Size().Width; note.Y != head.Y || note.X < end || note.X > end+gap || note.X+p.note.MinSize().Width > driver.AbsolutePositionForObject(p.copy).X {
			t.Errorf("%q stands at %v, behind %q at %v that ends at %v", p.note.text, note, p.head.text, head, end)
		}
	}
}

func TestInspectorFollowsAStream(t *testing.T) {
	s := sceneNoRequests(t)
	x := workday()[12]
	x.Captured = true
	r := s.core.bytes.Open(x.ID)
	r.Request(capture.ClientRequest, "POST", "/v1/chat/completions", nil, []byte(`{}`))
	s.publish(x)
	s.window.requests.list.Select(0)
	in := s.inspector()
	in.tabs.choose(tabAnswer)
	s.until("the waiting answer", func() bool { return in.seen.ID == x.ID })
	if in.bytes.left.note.text != "Nothing received yet." {
		t.Errorf("note %q", in.bytes.left.note.text)
	}
	r.Answer(capture.UpstreamAnswer, 200, nil)
	r.Write(capture.UpstreamAnswer, []byte("data: first\n\n"))
	x.Revision, x.Phase = 2, event.Streaming
	s.publish(x)
	s.until("the first event", func() bool { return strings.Contains(in.bytes.left.text.content(), "first") })
	r.Write(capture.UpstreamAnswer, []byte("data: second\n\n"))
	x.Revision = 3
	s.publish(x)
	s.until("the second event", func() bool { return strings.Contains(in.bytes.left.text.content(), "second") })
}

func TestInspectorSaysWhyThereIsNothing(t *testing.T) {
	s := sceneRequests(t)
	s.window.requests.list.Select(3)
	in := s.inspector()
	in.tabs.choose(tabRequest)
	s.until("the reason", func() bool { return !in.nothing.Hidden })
	if !strings.Contains(in.why.text, "not being kept when") || !in.again.Disabled() {
		t.Errorf("%q, again disabled %t", in.why.text, in.again.Disabled())
	}
}

func TestReplay(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	in, id := s.inspector(), workday()[4].ID
	test.Tap(in.again)
	s.until("the replay", func() bool { s.core.mu.Lock(); defer s.core.mu.Unlock(); return len(s.core.replays) == 1 })
	if r := s.core.replays[0]; r.ID != id || r.Model != "" || r.Body != nil {
		t.Errorf("%+v", r)
	}
	x := workday()[4]
	x.ID, x.ReplayOf = "req_again", id
	s.publish(x)
	s.until("the new row to be selected", func() bool { return in.data.ID == "req_again" })
}

func TestReplayFails(t *testing.T) {
	s := sceneInspector(tabSummary)(t)
	s.core.replayErr = presenter.ErrNotRunning
	test.Tap(s.inspector().again)
	s.until("the reason", func() bool { return s.window.win.Canvas().Overlays().Top() != nil })
}

func TestFilterBar(t *testing.T) {
	s := sceneRequests(t)
	r, all := s.window.requests, s.log.Len()
	r.errors.SetChecked(true)
	if s.log.Len() == 0 || s.log.Len() == all || !strings.Contains(r.count.text, " of ") {
		t.Errorf("%d rows, %q", s.log.Len(), r.count.text)
	}
	r.find.SetText("no such thing")
	if !r.vacancies[presenter.Unmatched].Visible() || r.list.Visible() {
		t.Error("an empty result is not said")
	}
	r.unfilter()
	if s.log.Len() != all || r.find.Text != "" || r.errors.Checked || r.vacancies[presenter.Unmatched].Visible() {
		t.Errorf("%d rows after Show all", s.log.Len())
	}
	r.to.SetSelected("openai")
	for i := range s.log.Len() {
		if p := s.log.Row(i, workday()[0].Start).Provider; p != "openai" {
			t.Errorf("row of %s", p)
		}
	}
	r.from.SetSelected("Claude Code")
	if s.log.Len() != 0 || s.log.Filter() != (presenter.Filter{Client: "Claude Code", Provider: "openai"}) {
		t.Errorf("%d rows, %+v", s.log.Len(), s.log.Filter())
	}
}

func TestPauseButton(t *testing.T) {
	s := sceneRequests(t)
	r, n := s.window.requests, s.log.Len()
	test.Tap(r.pause)
	x := workday()[0]
	x.ID = "req_late"
	s.core.bus.Publish(x)
	s.until("the log to go on", func() bool { return s.log.Total() == n+1 })
	if s.log.Len() != n || r.pause.Text != "Go on" || !strings.Contains(r.count.text, "1 new") {
		t.Errorf("%d rows, %q, %q", s.log.Len(), r.pause.Text, r.count.text)
	}
	test.Tap(r.pause)
	if s.log.Len() != n+1 || r.pause.Text != "Pause" {
		t.Errorf("%d rows, %q", s.log.Len(), r.pause.Text)
	}
}

func TestWrapping(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", []string{""}},
		{"1234567890", []string{"1234567890"}},
		{"12345678901", []string{"1234567890", "1"}},
		{"ü234567890", []string{"ü234567890"}},
		{"汉字汉字汉字", []string{"汉字汉字汉", "字"}},
		{"123456789汉", []string{"123456789", "汉"}},
	} {
		var got []string
		for _, s := range wrapped(nil, 0, c.text, 10) {
			got = append(got, c.text[s.from:s.to])
		}
		if strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

// drawn is what the rows on the screen show, from the top.
func (l *lines) drawn() (texts []string) {
	for _, r := range l.drawnRows() {
		texts = append(texts, test.WidgetRenderer(r).(*textRowRenderer).text.Text)
	}
	return texts
}

func (l *lines) drawnRows() (rows []*textRow) {
	var items []fyne.CanvasObject
	for _, o := range test.WidgetRenderer(l).Objects() {
		if s, ok := o.(*container.Scroll); ok {
			items = s.Content.(*fyne.Container).Objects
		}
	}
	for _, item := range items {
		for _, o := range test.WidgetRenderer(item.(fyne.Widget)).Objects() {
			if r, ok := o.(*textRow); ok {
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// The rows of a body are those of the window's width, whatever width it had before.
func TestRowsFollowTheWidth(t *testing.T) {
	s := sceneNoRequests(t)
	x := workday()[4]
	x.Captured = true
	const long = "one two three four five six seven eight nine ten eleven twelve 一二三四五六七八九十甲乙丙丁戊己庚辛 the end"
	r := s.core.bytes.Open(x.ID)
	r.Request(capture.ClientRequest, "POST", "/v1/messages", nil, []byte(`{"model":"echo#demo","content":"`+long+`","long":"`+long+long+`","stream":true}`))
	r.End(false)
	s.publish(x)
	in := s.inspector()
	s.window.requests.list.Select(0)
	in.tabs.choose(tabRequest)
	s.until("the bytes", func() bool { return in.seen.ID == x.ID })
	l := in.bytes.left.text
	for _, width := range []float32{1280, 760, 1280, 1120, 900, 820, 761, 1000, 1600, 760} {
		for _, height := range []float32{780, 520} {
			s.window.win.Resize(size(width, height))
			var want []string
			for i, line := range l.text {
				for _, part := range wrapped(nil, i, line.Text, columnsIn(l.Size().Width)) {
					want = append(want, line.Text[part.from:part.to])
				}
			}
			got := l.drawn()
			if seen := int(l.Size().Height / textRowHeight); len(got) < min(seen, len(want)) || seen < 5 {
				t.Errorf("%v x %v: %d of %d rows are drawn, %d have room", width, height, len(got), len(want), seen)
			}
			if shown := min(len(got), len(want)); !slices.Equal(got, want[:shown]) {
				t.Errorf("%v x %v:\n%s\nwant\n%s", width, height, strings.Join(got, "\n"), strings.Join(want[:shown], "\n"))
			}
		}
	}
}

func BenchmarkLines(b *testing.B) {
	test.NewTempApp(b)
	for name, n := range map[string]int{"200KB": 200 << 10, "5MB": 5 << 20} {
		b.Run(name, func(b *testing.B) {
			text := make([]presenter.Line, n/200)
			for i := range text {
				text[i].Text = strings.Repeat("some text ", 20)
			}
			l := newLines()
			w := test.NewWindow(l)
			defer w.Close()
			w.Resize(size(500, 400))
			b.ReportAllocs()
			for b.Loop() {
				l.set(nil, text, true)
			}
		})
	}
}

func TestKeysOfTheList(t *testing.T) {
	s := sceneInspector(tabSummary)(t)
	r := s.window.requests
	r.list.TypedShortcut(&fyne.ShortcutCopy{})
	if got := s.app.Clipboard().Content(); !strings.Contains(got, "\ncurl -N") || strings.Contains(got, "secret") {
		t.Errorf("copied %q", got)
	}
	r.list.TypedRune(' ')
	if !s.log.Paused() {
		t.Error("a space does not pause")
	}
	r.list.TypedRune(' ')
	if s.log.Paused() {
		t.Error("a second space does not go on")
	}
	s.window.search()
	if s.window.win.Canvas().Focused() != r.find {
		t.Error("the search has not the cursor")
	}
	r.find.SetText("gemini")
	r.find.TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	if r.find.Text != "" || s.log.Filter().Active() {
		t.Errorf("Escape leaves %q", r.find.Text)
	}
}

// There is nothing to copy where there is nothing.
func TestAnEmptyPaneIsNotCopied(t *testing.T) {
	s := sceneDetail(t)
	p := newPane(s.UI)
	if !p.copy.Disabled() {
		t.Error("a new pane can be copied")
	}
	p.set(presenter.Pane{Title: "To the client", Raw: []byte("{}")}, true, true)
	if p.copy.Disabled() {
		t.Error("a body cannot be copied")
	}
	p.set(presenter.Pane{Title: "To the client", Note: "Nothing received yet."}, true, true)
	if !p.copy.Disabled() {
		t.Error("nothing can be copied")
	}
}

// Tab leaves the body of a request that is edited, and types nothing.
func TestTabLeavesTheBody(t *testing.T) {
	s := sceneDetail(t)
	e := newEntry(s.window)
	e.MultiLine = true
	if e.AcceptsTab() {
		t.Error("Tab is typed")
	}
}

// In a small window the inspector takes the place of the list, and the keys still go on from row
// to row and back.
func TestInspectorStandsAlone(t *testing.T) {
	s := sceneRequests(t)
	r := s.window.requests
	s.window.win.Resize(size(760, 520))
	r.focus()
	if r.table.Hidden || r.inspector.content.Visible() {
		t.Fatal("the list is not shown while nothing is selected")
	}
	s.press(fyne.KeyReturn)
	if s.log.Selected() != 12 || r.table.Visible() || r.above.Visible() || !r.inspector.content.Visible() || r.inspector.back.Hidden || r.inspector.shut.Visible() {
		t.Fatalf("selected %d, list %t, inspector %t", s.log.Selected(), r.table.Visible(), r.inspector.content.Visible())
	}
	s.press(fyne.KeyUp, fyne.KeyUp, fyne.KeyRight, fyne.KeyRight, fyne.KeyRight)
	if s.log.Selected() != 10 || r.inspector.tabs.chosen != tabAnswer {
		t.Errorf("selected %d, tab %d", s.log.Selected(), r.inspector.tabs.chosen)
	}
	s.window.win.Resize(size(windowWidth, windowHeight))
	if r.table.Hidden || r.above.Hidden || r.inspector.content.Hidden || r.inspector.back.Visible() {
		t.Error("a large window does not show both")
	}
	s.window.win.Resize(size(760, 520))
	s.window.win.Canvas().Unfocus()
	test.Tap(r.inspector.back)
	if s.log.Selected() != -1 || r.table.Hidden || r.above.Hidden || s.window.win.Canvas().Focused() != r.list {
		t.Error("the way back does not lead to the list")
	}
	s.press(fyne.KeyDown) // goes on from where it was
	if s.log.Selected() != 11 {
		t.Errorf("Down selected %d", s.log.Selected())
	}
	s.window.search()
	if r.above.Hidden || s.window.win.Canvas().Focused() != r.find {
		t.Error("the search is out of reach")
	}
}

// Escape leaves the inspector from wherever the cursor is in it.
func TestEscapeLeavesTheInspector(t *testing.T) {
	for _, c := range inspectorStops {
		t.Run(c.name, func(t *testing.T) {
			s := sceneInspector(tabRequest)(t)
			s.window.requests.focus()
			s.press(fyne.KeyReturn)
			if in := s.inspector(); s.window.win.Canvas().Focused() != in.tabs.buttons[tabRequest] {
				t.Fatal("Enter does not lead into the inspector")
			}
			s.window.win.Canvas().Focus(c.at(s.inspector()))
			s.press(fyne.KeyEscape)
			if s.log.Selected() != -1 || s.window.win.Canvas().Focused() != s.window.requests.list {
				t.Error("Escape does not lead back to the list")
			}
		})
	}
}

// Left and Right turn the tabs from wherever the cursor is in the inspector, and take it along.
func TestTabsTurnInTheInspector(t *testing.T) {
	for _, c := range inspectorStops {
		t.Run(c.name, func(t *testing.T) {
			s := sceneInspector(tabRequest)(t)
			in, cv := s.inspector(), s.window.win.Canvas()
			for _, turn := range []struct {
				key  fyne.KeyName
				want int
			}{{fyne.KeyRight, tabAnswer}, {fyne.KeyLeft, tabSummary}} {
				in.tabs.choose(tabRequest)
				cv.Focus(c.at(in))
				if s.press(turn.key); in.tabs.chosen != turn.want || cv.Focused() != in.tabs.buttons[turn.want] {
					t.Errorf("%s leads to tab %d, the cursor is in %T", turn.key, in.tabs.chosen, cv.Focused())
				}
			}
			if s.press(fyne.KeyRight, fyne.KeyRight, fyne.KeyRight); in.tabs.chosen != tabAnswer {
				t.Errorf("the tabs end with %d", in.tabs.chosen)
			}
			if s.log.Selected() != 4 {
				t.Errorf("row %d is selected", s.log.Selected())
			}
		})
	}
}

// The keys of the tabs are for nothing else while the inspector cannot be seen or reached.
func TestTabsDoNotTurnUnseen(t *testing.T) {
	s := sceneInspector(tabRequest)(t)
	s.window.tell("It did not work.")
	s.press(fyne.KeyRight)
	s.window.win.Canvas().Unfocus()
	s.press(fyne.KeyRight, fyne.KeyEscape)
	s.window.open(pageModels)
	s.window.win.Canvas().Unfocus()
	s.press(fyne.KeyRight)
	s.window.open(pageRequests)
	s.window.requests.leave()
	s.window.win.Canvas().Unfocus()
	s.press(fyne.KeyRight)
	if at := s.inspector().tabs.chosen; at != tabRequest {
		t.Errorf("tab %d is chosen", at)
	}
}

// inspectorStops are where the cursor can be in the inspector.
var inspectorStops = []struct {
	name string
	at   func(*inspector) fyne.Focusable
}{
	{"tab", func(in *inspector) fyne.Focusable { return in.tabs.buttons[in.tabs.chosen] }},
	{"headers", func(in *inspector) fyne.Focusable { return in.headers }},
	{"as sent", func(in *inspector) fyne.Focusable { return in.raw }},
	{"send again", func(in *inspector) fyne.Focusable { return in.again }},
	{"more", func(in *inspector) fyne.Focusable { return in.more }},
	{"close", func(in *inspector) fyne.Focusable { return in.shut }},
	{"copy", func(in *inspector) fyne.Focusable { return in.bytes.left.copy }},
	{"text", func(in *inspector) fyne.Focusable { return in.bytes.right.text }},
}

func TestKeysGoOverPages(t *testing.T) {
	s := sceneRequests(t)
	s.window.requests.focus()
	for _, c := range []struct {
		key  fyne.KeyName
		want int
	}{{fyne.KeyHome, 0}, {fyne.KeyUp, 0}, {fyne.KeyPageDown, 0}, {fyne.KeyEnd, 12}, {fyne.KeyDown, 12}, {fyne.KeyPageUp, 0}} {
		before := s.log.Selected()
		s.press(c.key)
		switch at := s.log.Selected(); {
		case c.key == fyne.KeyPageDown && at <= before+1, c.key == fyne.KeyPageUp && at >= before-1:
			t.Errorf("%s leads from %d to %d", c.key, before, at)
		case c.want != at && c.key != fyne.KeyPageDown && c.key != fyne.KeyPageUp:
			t.Errorf("%s leads to %d", c.key, at)
		}
	}
}

// A copy of a request that is not kept is what is known about it.
func TestCopyOfARequestThatIsNotKept(t *testing.T) {
	s := sceneDetail(t)
	s.window.requests.list.TypedShortcut(&fyne.ShortcutCopy{})
	if got := s.app.Clipboard().Content(); !strings.Contains(got, "google-ai-studio") || !s.window.toast.content.Visible() ||
		s.window.win.Canvas().Overlays().Top() != nil {
		t.Errorf("copied %q", got)
	}
	s.window.requests.focus()
	s.press(fyne.KeyEscape)
	if s.window.toast.content.Visible() || s.log.Selected() < 0 {
		t.Error("Escape does not end what is said, or more than that")
	}
}

// A copy in the list is that of the row that the keys start from, also when nothing is looked at.
func TestCopyOfAMarkedRow(t *testing.T) {
	for _, c := range []struct {
		scene func(*testing.T) *stage
		want  string
	}{{sceneInspector(tabSummary), "\ncurl -N"}, {sceneDetail, "google-ai-studio"}} {
		s := c.scene(t)
		r := s.window.requests
		s.press(fyne.KeyEscape)
		if _, open := s.log.Exchange(); open || !r.list.focused {
			t.Fatal("Escape does not go back to the list")
		}
		r.list.TypedShortcut(&fyne.ShortcutCopy{})
		if got := s.app.Clipboard().Content(); !strings.Contains(got, c.want) || strings.Contains(got, "secret") || !s.window.toast.content.Visible() {
			t.Errorf("copied %q", got)
		}
		s.app.Clipboard().SetContent("")
		s.window.win.Canvas().Unfocus()
		s.window.pass(&fyne.ShortcutCopy{})
		if got := s.app.Clipboard().Content(); got != "" {
			t.Errorf("copied %q, which no row is marked for", got)
		}
	}
}

// What a request cannot be used for is not offered.
func TestNothingIsOfferedThatFails(t *testing.T) {
	s := sceneInspector(tabSummary)(t)
	in := s.inspector()
	if in.again.Disabled() {
		t.Error("a request that is kept cannot be sent again")
	}
	s.core.set(presenter.Status{State: presenter.Stopped, Addr: "127.0.0.1:8787"})
	s.until("the button to be disabled", func() bool { return in.again.Disabled() })
	s.core.set(presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"})
	s.until("the button to be enabled", func() bool { return !in.again.Disabled() })
	s.core.bytes.Clear()
	s.window.refresh()
	if !in.again.Disabled() {
		t.Error("a request that is not kept any more can be sent again")
	}
}
