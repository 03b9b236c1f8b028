package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"apex-ai-proxy/proxy/demo/fakegateway"
)

// list is the program with its page of requests open, on a gateway that keeps what
// arrives.
type list struct {
	*program
	gateway *fakegateway.Gateway
	addr    string
	window  string
}

func newList(t testing.TB) *list {
	t.Helper()
	s := newSession(t, false)
	l := &list{gateway: fakegateway.New(t, fakegateway.Options{}), addr: freeAddr(t)}
	guided(t, s)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey, "GATEWAY_TOKEN="+fakegateway.Token)
	l.program = s.start("--listen", l.addr, "--account", fakegateway.Account, "--gateway", fakegateway.Name, "--gateway-url", l.gateway.URL)
	l.window = s.window()
	s.until("the port to be open", func() bool { return listens(l.addr) })
	s.key("ctrl+2")
	return l
}

// send sends a request and returns its body.
func (l *list) send(model, text string) string {
	l.t.Helper()
	body := fmt.Sprintf(`{ "model":%q, "messages":[{"role":"user","content":%q}] }`, model, text)
	if status := l.post(body); status != http.StatusOK {
		l.t.Fatalf("%s answers %d", model, status)
	}
	return body
}

// fail sends a request that the proxy refuses.
func (l *list) fail() {
	l.t.Helper()
	body := `{"model":"nothing#nowhere","messages":[{"role":"user","content":"Hello"}]}`
	if status := l.post(body); status < http.StatusBadRequest {
		l.t.Fatalf("a provider that does not exist answers %d", status)
	}
}

// post sends a request as a client does and returns the status of its answer.
func (l *list) post(body string) (status int) {
	l.t.Helper()
	return post(l.t, l.addr, body)
}

func post(t testing.TB, addr, body string) (status int) {
	t.Helper()
	resp := send(t, addr, body)
	defer resp.Body.Close()
	_, err := io.Copy(io.Discard, resp.Body)
	must(t, err)
	return resp.StatusCode
}

// send asks for a completion; the caller closes the answer.
func send(t testing.TB, addr, body string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v1/chat/completions", strings.NewReader(body))
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+localKey)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	return resp
}

// The colours of the states in the light theme.
var (
	good = color.RGBA{R: 0x1B, G: 0x7F, B: 0x4D, A: 0xFF}
	bad  = color.RGBA{R: 0xC2, G: 0x2F, B: 0x2A, A: 0xFF}
)

// dots is where in a picture the rows of a state are, from the top.
func dots(t testing.TB, picture []byte, state color.RGBA) (at []int) {
	t.Helper()
	img := decoded(t, picture)
	column := firstDot(img)
	if column < 0 {
		return nil
	}
	const apart = 15 // pixels; rows are twice as high
	for y := range img.Bounds().Max.Y {
		if img.RGBAAt(column, y) != state {
			continue
		}
		if len(at) == 0 || y-at[len(at)-1] > apart {
			at = append(at, y)
		}
	}
	return at
}

// firstDot is the column of the list's topmost dot, -1 when there is none.
func firstDot(img *image.RGBA) int {
	r := img.Bounds()
	for y := range r.Max.Y {
		for x := r.Dx() / 4; x < r.Max.X; x++ { // beside the sidebar
			if c := img.RGBAAt(x, y); c == good || c == bad {
				return x
			}
		}
	}
	return -1
}

// shows waits until the list shows so many rows of a state.
func (l *list) shows(count int, state color.RGBA, name string) {
	l.t.Helper()
	l.until(fmt.Sprintf("%d rows in the picture %s", count, name), func() bool {
		return len(dots(l.t, l.picture(l.window, name), state)) == count
	})
}

func TestFilter(t *testing.T) {
	l := newList(t)
	for range 3 {
		l.send("gpt-4o-mini#openai", "Hello")
	}
	for range 4 {
		l.send("echo#demo", "Hello")
	}
	l.shows(7, good, "filter-none")
	l.key("ctrl+f")
	for _, step := range []struct {
		typed string
		rows  int
	}{{"demo", 4}, {" echo", 4}, {" gpt", 0}} {
		l.mustRun("xdotool", "type", "--delay", "40", step.typed)
		l.shows(step.rows, good, fmt.Sprint("filter-", step.rows))
	}
	l.key("Escape")
	l.shows(7, good, "filter-left")
	l.key("ctrl+f")
	l.mustRun("xdotool", "type", "--delay", "40", "GPT 200")
	l.shows(3, good, "filter-3")
	wrongThread(t, l.program)
}

func TestFollow(t *testing.T) {
	l := newList(t)
	for i := range 59 { // no row is like the next one
		l.send("echo#demo", strings.Repeat("word ", i%7))
	}
	l.fail()
	l.shows(1, bad, "follow-end")
	end := l.settled(l.window, nil, "follow-end")
	done, last := dots(t, end, good), dots(t, end, bad)
	if len(done) < 10 || last[0] < done[len(done)-1] {
		t.Errorf("the newest row is at %v, the others at %v", last, done)
	}

	l.scrollAway("follow-away")
	reading := l.settled(l.window, nil, "follow-reading")
	l.fail()
	l.until("the count to change", func() bool { return !change(t, heading, reading, l.picture(l.window, "follow-more")).Empty() })
	more := l.settled(l.window, nil, "follow-more")
	if r := change(t, body, reading, more); !r.Empty() {
		t.Errorf("a new request moves the list that is being read, in %v", r)
	}

	newest := change(t, buttons, end, more)
	if newest.Empty() {
		t.Fatal("there is no button that leads to the new request")
	}
	l.point(newest.Min.Add(newest.Max).Div(2))
	l.mustRun("xdotool", "click", "1")
	l.shows(2, bad, "follow-newest")
	l.fail()
	l.shows(3, bad, "follow-again")

	l.scrollAway("follow-away-again")
	l.key("ctrl+2", "End")
	l.shows(3, bad, "follow-last")
	l.fail()
	l.shows(4, bad, "follow-selected")
	wrongThread(t, l.program)
}

// Parts of the page in a window of its first size, in pixels.
var (
	heading = image.Rect(180, 0, 640, 64)
	buttons = image.Rect(640, 0, 1280, 64)
	body    = image.Rect(180, 140, 1260, 740) // the rows, without the scroll bar
)

// change is what differs in a part of two pictures.
func change(t testing.TB, part image.Rectangle, a, b []byte) (r image.Rectangle) {
	t.Helper()
	x, y := decoded(t, a), decoded(t, b)
	for py := part.Min.Y; py < part.Max.Y; py++ {
		for px := part.Min.X; px < part.Max.X; px++ {
			if differ(x.RGBAAt(px, py), y.RGBAAt(px, py)) {
				r = r.Union(image.Rect(px, py, px+1, py+1))
			}
		}
	}
	return r
}

// differ tells whether two colours differ by more than what the mouse does to what is
// below it.
func differ(a, b color.RGBA) bool { return max(a.G, b.G)-min(a.G, b.G) > 0x20 }

// point moves the mouse to a place in the window.
func (l *list) point(p image.Point) {
	l.t.Helper()
	l.mustRun("xdotool", "mousemove", "--window", l.window, strconv.Itoa(p.X), strconv.Itoa(p.Y))
}

// scrollAway turns the wheel until none of the failed requests, the last ones, is seen.
func (l *list) scrollAway(name string) {
	l.t.Helper()
	l.point(decoded(l.t, l.picture(l.window, name)).Bounds().Size().Div(2))
	l.until("the end of the list to be out of sight", func() bool {
		l.mustRun("xdotool", "click", "--repeat", "3", "--delay", "40", "4")
		return len(dots(l.t, l.picture(l.window, name), bad)) == 0
	})
}

// TestAgain sends a request again in all the ways there are: as it was, from a copied
// command, and to another model.
func TestAgain(t *testing.T) {
	l := newList(t)
	l.send("gpt-4o-mini#openai", "Send this again")
	l.send("gpt-4o-mini#openai", "Not this")
	l.shows(2, good, "again-two")
	first := l.arrived()
	l.arrived()

	l.key("Home", "Tab", "space") // "Send again" of the first row
	if r := l.arrived(); !bytes.Equal(r.Body, first.Body) {
		t.Errorf("what was sent as\n%s\nis sent again as\n%s", first.Body, r.Body)
	}
	l.shows(3, good, "again-three")

	l.key("ctrl+2", "Home", "ctrl+c")
	var command string
	l.until("a command on the clipboard", func() bool {
		command = l.clipboard()
		return strings.Contains(command, "curl -N ")
	})
	if strings.Contains(command, localKey) {
		t.Errorf("the key is in the command\n%s", command)
	}
	l.mustRun("bash", "-c", command)
	if r := l.arrived(); !bytes.Equal(r.Body, first.Body) {
		t.Errorf("the command\n%s\nsends\n%s", command, r.Body)
	}
	l.shows(4, good, "again-four")

	l.key("Tab", "Tab", "space", "Down", "Return") // "More", "Edit and send again…"
	l.settled(l.window, nil, "again-edit")
	l.key("ctrl+a")
	l.mustRun("xdotool", "type", "--delay", "40", "gpt-4o#openai")
	l.key("Return")
	want := bytes.Replace(first.Body, []byte("gpt-4o-mini"), []byte("gpt-4o"), 1)
	if r := l.arrived(); !equalJSON(t, r.Body, want) {
		t.Errorf("to another model goes\n%s\nwant\n%s", r.Body, want)
	}
	wrongThread(t, l.program)
}

// arrived is the next request at the gateway.
func (l *list) arrived() *fakegateway.Request {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(l.t.Context(), patience)
	defer cancel()
	r, err := l.gateway.Next(ctx)
	must(l.t, err)
	return r
}

func equalJSON(t testing.TB, a, b []byte) bool {
	t.Helper()
	var x, y any
	must(t, json.Unmarshal(a, &x))
	must(t, json.Unmarshal(b, &y))
	return reflect.DeepEqual(x, y)
}
