package e2e

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// binary is the built program.
var binary string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "apex-ai-proxy")
	out, err := exec.CommandContext(context.Background(), "go", "build", "-buildvcs=false", "-o", binary, "apex-ai-proxy").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "build the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

const (
	account = "0123456789abcdef0123456789abcdef"
	token   = "a-made-up-token-for-this-test"
)

// freeAddr is an address on which nobody listens. Its port is none of those that the system
// gives out itself, to whoever wants one meanwhile.
func freeAddr(t testing.TB) string {
	t.Helper()
	for range 1000 {
		ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", fmt.Sprint("127.0.0.1:", 20_000+rand.IntN(10_000)))
		if err != nil {
			continue // it is taken
		}
		defer ln.Close()
		return ln.Addr().String()
	}
	t.Fatal("no port is free")
	return ""
}

func listens(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestTrayMenu(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	if !listens(addr) {
		t.Error("the menu says running, but nothing listens")
	}
	if id, title := p.property("Id"), p.property("Title"); id != "Apex AI Proxy" || title != "Apex AI Proxy" {
		t.Errorf("the icon calls itself %v, %v", id, title)
	}
	p.until("the tooltip", func() bool { return strings.Contains(fmt.Sprint(p.property("ToolTip")), "Running on "+addr) })
	if w := s.windows(); len(w) > 0 {
		t.Errorf("windows %v are open after a hidden start", w)
	}
	p.click("Stop")
	p.says("Stopped")
	p.until("the port to be free", func() bool { return !listens(addr) })
	stopped := p.icon()
	p.click("Start")
	p.says("Running on " + addr)
	if !listens(addr) {
		t.Error("nothing listens after Start")
	}
	p.until("another icon", func() bool { return p.icon() != stopped })
	for label, want := range map[string]string{
		"Copy OpenAI base URL": "http://" + addr + "/v1", "Copy Anthropic base URL": "http://" + addr,
	} {
		p.until(fmt.Sprintf("%q on the clipboard", want), func() bool {
			p.click(label) // again, because a menu that is just made anew has no use for a click
			return s.clipboard() == want
		})
	}
	p.click("Open window")
	s.window()
	p.click("Quit")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if listens(addr) {
		t.Error("the port is still open")
	}
}

func TestWindow(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--listen", addr, "--account", account, "--gateway", "home")
	w := s.window()
	p.says("Running on " + addr)
	overview := s.settled(w, nil, "window-overview")

	p.click("Copy local key")
	var key string
	p.until("the local key on the clipboard", func() bool {
		key = s.clipboard()
		return strings.HasPrefix(key, "apx-")
	})
	s.key("ctrl+2")
	empty := s.settled(w, overview, "window-requests-empty")
	ask(t, addr, key)
	filled := s.settled(w, empty, "window-requests") // with a row in the list

	s.key("ctrl+comma")
	s.settled(w, filled, "window-settings-open")
	s.mustRun("xdotool", "type", "--delay", "40", token)
	s.picture(w, "window-settings")
	s.key("Return")
	p.until("the token in the keychain", func() bool {
		out, _ := s.run("secret-tool", "lookup", "service", "apex-ai-proxy", "username", "gateway-token")
		return strings.Contains(out, token)
	})
	if strings.Contains(p.log.String(), token) {
		t.Error("the token is in the log")
	}

	s.key("alt+F4")
	p.until("the window to hide", func() bool { return len(s.windows()) == 0 })
	if !listens(addr) {
		t.Error("closing the window stopped the proxy")
	}
	p.activate()
	s.window()

	s.key("ctrl+w")
	p.until("the window to hide", func() bool { return len(s.windows()) == 0 })
	second := s.start()
	if code := second.end(); code != 0 {
		t.Errorf("the second copy ends with %d", code)
	}
	s.window()

	s.key("ctrl+q")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	wrongThread(t, p)
}

// wrongThread fails when Fyne saw a call from a goroutine that is not its own.
func wrongThread(t testing.TB, p *program) {
	t.Helper()
	if out := p.log.String(); strings.Contains(out, "Error in Fyne call thread") || strings.Contains(out, "panic") {
		t.Errorf("the program said:\n%s", out)
	}
}

// ask sends a request to the demo model.
func ask(t testing.TB, addr, key string) {
	t.Helper()
	body := strings.NewReader(`{"model":"echo#demo","messages":[{"role":"user","content":"Hello from the desktop"}]}`)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+"/v1/chat/completions", body)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	must(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	must(t, err)
	if resp.StatusCode != http.StatusOK || !bytes.Contains(answer, []byte("Hello from the desktop")) {
		t.Fatalf("the demo model answers %d: %s", resp.StatusCode, answer)
	}
}

// settled waits until the window shows something else than before, and has come to rest.
func (s *session) settled(window string, before []byte, name string) []byte {
	s.t.Helper()
	var last []byte
	s.until("the picture "+name, func() bool {
		now := s.picture(window, name)
		rest := last != nil && same(s.t, last, now)
		last = now
		return rest && (before == nil || !same(s.t, before, now))
	})
	return last
}

// same tells whether two pictures show the same in their middle, where the list is.
func same(t testing.TB, a, b []byte) bool {
	t.Helper()
	x, y := decoded(t, a), decoded(t, b)
	r := x.Bounds()
	for py := r.Min.Y + r.Dy()/8; py < r.Max.Y-r.Dy()/4; py++ {
		for px := r.Min.X + r.Dx()/4; px < r.Max.X; px++ {
			if x.RGBAAt(px, py) != y.RGBAAt(px, py) {
				return false
			}
		}
	}
	return true
}

// blank tells whether a picture has only one colour in its middle: nothing is drawn yet.
func blank(t testing.TB, picture []byte) bool {
	t.Helper()
	img := decoded(t, picture)
	r := img.Bounds()
	for y := r.Dy() / 8; y < r.Dy()*3/4; y++ {
		for x := range r.Dx() {
			if img.RGBAAt(x, y) != img.RGBAAt(0, r.Dy()/8) {
				return false
			}
		}
	}
	return true
}

// decoded is a picture in a form whose pixels are quickly read.
func decoded(t testing.TB, picture []byte) *image.RGBA {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(picture))
	must(t, err)
	out := image.NewRGBA(img.Bounds())
	draw.Draw(out, out.Bounds(), img, img.Bounds().Min, draw.Src)
	return out
}

func TestWithoutTray(t *testing.T) {
	s := newSession(t, false)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	s.window() // it opens, for nothing else could open it
	s.key("alt+F4")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if listens(addr) {
		t.Error("the port is still open")
	}
}

func TestSignalWhileHidden(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if listens(addr) {
		t.Error("the port is still open")
	}
}

func TestPortIsTaken(t *testing.T) {
	s := newSession(t, true)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	addr := ln.Addr().String()
	_, port, err := net.SplitHostPort(addr)
	must(t, err)
	told := s.notifications()
	p := s.start("--hidden", "--listen", addr)
	p.says("Port " + port + " is in use by ")
	select {
	case text := <-told:
		if !strings.Contains(text, "port "+port+" is in use") {
			t.Errorf("the notification says %q", text)
		}
	case <-time.After(patience):
		t.Error("no notification says that the proxy could not start")
	}
	must(t, ln.Close())
	p.click("Start")
	p.says("Running on " + addr)
	p.click("Quit")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
