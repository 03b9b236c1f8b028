package presenter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	udiff "github.com/aymanbagabas/go-udiff"

	"apex-ai-proxy/proxy/capture"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/ui/words"
)

// Inspection is what can be seen of the bytes of an exchange: its request and its answer,
// each on both sides of the proxy.
type Inspection struct {
	ID       string
	Revision int64  // of what was captured
	Why      string // why there is nothing to see, "" when there is
	Request  Pair   // the client's at the left, what the gateway got at the right
	Answer   Pair   // what the gateway answered at the left, what the client got at the right
}

// Pair is the same thing on both sides of the proxy.
type Pair struct {
	Left, Right Pane
	Note        string // how the two differ, in words; "" while one of them is not there
}

// Pane is one side.
type Pane struct {
	Title   string
	Head    string // "POST /v1/messages" or "200 OK"; "" when the exchange did not get that far
	Note    string // what should be known about the body: how much of it there is
	Headers []Fact
	Lines   []Line
	Raw     []byte // the body as it was kept, for the clipboard
}

// Line is one line of a body.
type Line struct {
	Text  string
	Mark  Mark
	exact string // Text with the characters that cannot be drawn; "" when it has none
}

// Exact is the line as it is to be copied.
func (l *Line) Exact() string {
	if l.exact != "" {
		return l.exact
	}
	return l.Text
}

// Mark says how a line differs from the other side.
type Mark uint8

// The marks.
const (
	Same Mark = iota
	Gone      // only at the left
	New       // only at the right
)

// BodyForm is how a body is shown.
type BodyForm uint8

// The forms.
const (
	Pretty BodyForm = iota // JSON with line ends and indents
	AsSent
)

// Inspect prepares what is to be seen. It may take some ten milliseconds for bodies of a
// megabyte and belongs beside the user interface. kept is false when nothing was captured
// or what was captured is gone.
func Inspect(x *event.Exchange, s *capture.Snapshot, kept bool, limits capture.Limits, form BodyForm) Inspection {
	if !kept {
		return Inspection{ID: x.ID, Why: whyNothing(x, limits)}
	}
	m := &s.Messages
	in := Inspection{
		ID: x.ID, Revision: s.Revision,
		Request: Pair{
			Left:  requestPane(words.T("From the client"), &m[capture.ClientRequest], form),
			Right: requestPane(words.T("To the gateway"), &m[capture.UpstreamRequest], form),
		},
		Answer: Pair{
			Left:  answerPane(words.T("From the gateway"), &m[capture.UpstreamAnswer], form),
			Right: answerPane(words.T("To the client"), &m[capture.ClientAnswer], form),
		},
	}
	if !m[capture.ClientRequest].Seen && m[capture.ClientAnswer].Seen {
		in.Request.Left.Note = words.T("Not read.")
	}
	if !m[capture.UpstreamAnswer].Seen && x.Phase.Final() {
		in.Answer.Left.Note = words.T("No answer.")
	}
	if s.Attempts > 1 {
		in.Request.Right.Note = join(in.Request.Right.Note, words.F("Attempt {{.N}}; the earlier ones failed.", words.V{"N": s.Attempts}))
	}
	if x.Provider == demoProvider {
		in.nameDemo(m[capture.UpstreamRequest].URL)
	}
	in.Request.compare(form, x.Converted())
	in.Answer.compare(form, x.Converted())
	return in
}

// nameDemo has the demo stand where others have the gateway. Its address leads nowhere, and
// only the path of it tells something.
func (in *Inspection) nameDemo(address string) {
	in.Request.Right.Title, in.Answer.Left.Title = words.T("To the built-in demo"), words.T("From the built-in demo")
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		in.Request.Right.Head = strings.Replace(in.Request.Right.Head, address, u.Path, 1)
	}
}

// whyNothing is the true reason why the bytes of an exchange cannot be seen.
func whyNothing(x *event.Exchange, l capture.Limits) string {
	switch {
	case !x.Captured && x.ClientProtocol == "" && x.Phase != event.Failed:
		return words.T("This request was answered by the proxy itself; it has no body.")
	case !x.Captured:
		return words.T("Bodies were not being kept when this request ran. Settings > Requests turns that on.")
	case l.Mode == capture.Errors && x.Phase != event.Failed:
		return words.T("Only failed requests are kept. Settings > Requests changes that.")
	case l.Mode == capture.Off:
		return words.T("Bodies are no longer kept, and earlier ones were removed.")
	default:
		return words.F("This body was removed to make room: only the last {{.N}} requests are kept, in up to {{.Size}} of memory.", words.V{"N": l.Exchanges, "Size": size(l.Total)})
	}
}

func requestPane(title string, m *capture.Message, form BodyForm) Pane {
	p := Pane{Title: title}
	if !m.Seen {
		p.Note = words.T("Not sent.")
		return p
	}
	p.Head = m.Method + " " + m.URL
	p.fill(m, form)
	return p
}

func answerPane(title string, m *capture.Message, form BodyForm) Pane {
	p := Pane{Title: title}
	if !m.Seen {
		p.Note = words.T("Nothing received yet.")
		return p
	}
	p.Head = strings.TrimSpace(fmt.Sprintf("%d %s", m.Status, http.StatusText(m.Status)))
	p.fill(m, form)
	return p
}

func (p *Pane) fill(m *capture.Message, form BodyForm) {
	p.Raw = m.Body
	p.Headers = headerFacts(m.Header)
	switch {
	case m.Cut():
		p.Note = words.F("The first {{.Kept}} of {{.All}}.", words.V{"Kept": size(int64(len(m.Body))), "All": size(m.Size)})
	case m.Size == 0:
		p.Note = words.T("No body.")
	default:
		p.Note = size(m.Size)
	}
	p.Lines = linesOf(m.Body, form)
}

func headerFacts(h http.Header) []Fact {
	var out []Fact
	for name, values := range h {
		for _, v := range values {
			out = append(out, Fact{name, v})
		}
	}
	slices.SortStableFunc(out, func(a, b Fact) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// linesOf is a body in lines. JSON is given line ends and indents; within a stream of
// events every event has its line already.
func linesOf(body []byte, form BodyForm) []Line {
	if form == Pretty {
		body = []byte(pretty(body))
	}
	if len(body) == 0 {
		return nil
	}
	text := string(bytes.TrimRight(body, "\r\n"))
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	var out []Line
	for s := range strings.SplitSeq(text, "\n") {
		if form == Pretty && strings.HasPrefix(s, "data:") {
			s = readable(s)
		}
		s = strings.TrimSuffix(s, "\r")
		l := Line{Text: printable(s)}
		if l.Text != s {
			l.exact = s
		}
		out = append(out, l)
	}
	return out
}

// pretty gives JSON line ends, indents and readable characters, and leaves anything else as it is.
func pretty(body []byte) string {
	var b bytes.Buffer
	if json.Indent(&b, body, "", "  ") != nil {
		return string(body)
	}
	return readable(b.String())
}

// readable is JSON with the characters themselves in the place of their numbers, as far as they
// can be seen. It means the same: many programs write everything but English in numbers.
func readable(s string) string {
	if !strings.Contains(s, `\u`) {
		return s
	}
	var b strings.Builder
	for at := strings.IndexByte(s, '\\'); at >= 0; at = strings.IndexByte(s, '\\') {
		b.WriteString(s[:at])
		s = s[at:]
		r, n := escaped(s)
		if n == 0 {
			n = min(2, len(s)) // the backslash with what it is for
			b.WriteString(s[:n])
		} else {
			b.WriteRune(r)
		}
		s = s[n:]
	}
	b.WriteString(s)
	return b.String()
}

// escaped is the character that s begins with as a number, and how many bytes that takes, 0
// when it begins with none that may stand there as itself.
func escaped(s string) (r rune, n int) {
	unit := func(s string) (rune, bool) {
		if len(s) < 6 || s[:2] != `\u` {
			return 0, false
		}
		v, err := strconv.ParseUint(s[2:6], 16, 16)
		return rune(v), err == nil
	}
	r, ok := unit(s)
	n = 6
	if ok && utf16.IsSurrogate(r) {
		low, _ := unit(s[6:])
		r, n = utf16.DecodeRune(r, low), 12
	}
	if !ok || r == utf8.RuneError || r == '"' || r == '\\' || !unicode.IsPrint(r) {
		return 0, 0
	}
	return r, n
}

// printable replaces what would be drawn as nothing, or move what is drawn.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, s)
}

// comparable bounds the lines that are compared; beyond it the comparison takes too long
// to be waited for.
const comparable = 20_000

// compare marks the lines that only one side has, of what was converted or not.
func (p *Pair) compare(form BodyForm, converted bool) {
	l, r := &p.Left, &p.Right
	switch {
	case l.Head == "" || r.Head == "":
	case bytes.Equal(l.Raw, r.Raw):
		p.Note = words.T("Both sides are the same, byte for byte.")
	case (isStream(l) || isStream(r)) && converted:
		p.Note = words.T("Converted event by event.")
	case isStream(l) || isStream(r): // each event may have the model's name in it
		p.Note = words.T("Passed through event by event.")
	case form == AsSent:
		p.Note = words.T("Differences are marked when As sent is off.")
	case len(l.Lines)+len(r.Lines) > comparable:
		p.Note = words.T("Too long to compare.")
	default:
		gone, added, moved := mark(l.Lines, r.Lines)
		if moved > 0 { // which is not marked, and may be what somebody looks for
			p.Note = words.F("Lines that differ: {{.Gone}} only on the left, {{.New}} only on the right, {{.Moved}} at another place.", words.V{"Gone": gone, "New": added, "Moved": moved})
			return
		}
		p.Note = words.F("Lines that differ: {{.Gone}} only on the left, {{.New}} only on the right.", words.V{"Gone": gone, "New": added})
	}
}

func isStream(p *Pane) bool {
	for _, h := range p.Headers {
		if h.Name == "Content-Type" {
			return strings.HasPrefix(h.Value, "text/event-stream")
		}
	}
	return false
}

// mark marks the lines that only one of the sides has, and counts them, and those that stand
// in another order. What a line says counts, not where it stands: a conversion moves fields up
// and down, and in and out.
func mark(left, right []Line) (gone, added, moved int) {
	l, r := sayings(left), sayings(right)
	align(l, r)
	only := map[string]int{} // lines of the right that are not at their place, by what they say
	for i := range r {
		if !r[i].found {
			only[r[i].text]++
		}
	}
	for i := range l {
		if !l[i].found && only[l[i].text] > 0 {
			only[l[i].text]--
			l[i].found = true
			if !l[i].empty() {
				moved++
			}
		}
	}
	for i := range slices.Backward(r) { // what is left of them are the last ones
		if n := only[r[i].text]; !r[i].found && n > 0 {
			only[r[i].text]--
		} else {
			r[i].found = true
		}
	}
	return markUnfound(left, l, Gone), markUnfound(right, r, New), moved
}

// saying is what a line says to somebody who compares, and whether the other side says so too.
type saying struct {
	text  string
	found bool
}

// empty tells whether a line is of brackets alone.
func (s saying) empty() bool { return strings.Trim(s.text, "{}[]") == "" }

// sayings is what lines say: indents, a comma at the end and brackets alone say nothing.
func sayings(lines []Line) []saying {
	out := make([]saying, len(lines))
	for i := range lines {
		out[i].text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(lines[i].Text), ","))
	}
	return out
}

func markUnfound(lines []Line, all []saying, m Mark) (n int) {
	for i, s := range all {
		if !s.found && !s.empty() {
			lines[i].Mark = m
			n++
		}
	}
	return n
}

// align finds the lines that both sides have in the same order.
func align(left, right []saying) {
	starts, at := make([]int, len(left)), 0
	for i := range left {
		starts[i], left[i].found = at, true
		at += len(left[i].text) + 1
	}
	edits := udiff.Lines(joined(left), joined(right))
	// The edits know only what lines of the left go, and how many come in their place; all other
	// lines of the right are those of the left.
	to, next := 0, 0
	keep := func(until int) {
		for ; next < until; next, to = next+1, to+1 {
			right[to].found = true
		}
	}
	for _, e := range edits {
		keep(lineAt(starts, e.Start))
		for ; next < len(left) && starts[next] < e.End; next++ {
			left[next].found = false
		}
		to += strings.Count(e.New, "\n")
	}
	keep(len(left))
}

func joined(lines []saying) string {
	var b strings.Builder
	for i := range lines {
		b.WriteString(lines[i].text)
		b.WriteByte('\n')
	}
	return b.String()
}

// lineAt is the line that begins at an offset.
func lineAt(starts []int, offset int) int {
	i, _ := slices.BinarySearch(starts, offset)
	return i
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}
