package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const localKey = "apx-a-key-for-the-desktop-tests"

// slowStream begins a request that takes minutes. It returns as soon as the answer has
// begun; the answer goes on.
func slowStream(t testing.TB, addr string) *bufio.Reader {
	t.Helper()
	body := `{"model":"slow#demo","stream":true,"messages":[{"role":"user","content":"` + strings.Repeat("word ", 3000) + `"}]}`
	resp := send(t, addr, body)
	t.Cleanup(func() { _ = resp.Body.Close() })
	answer := bufio.NewReader(resp.Body)
	if _, err := answer.ReadString('\n'); resp.StatusCode != http.StatusOK || err != nil {
		t.Fatalf("the slow model answers %d: %v", resp.StatusCode, err)
	}
	return answer
}

// cut fails unless the rest of a stream is short and ends with an error.
func cut(t testing.TB, answer io.Reader) {
	t.Helper()
	rest, _ := io.ReadAll(answer)
	if !strings.Contains(string(rest), `"error"`) {
		t.Errorf("a stream that was cut ends with %q", rest[max(0, len(rest)-200):])
	}
}

func TestSecondStart(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	first := s.start("--hidden", "--listen", addr)
	first.says("Running on " + addr)
	second := s.start("--hidden", "--listen", freeAddr(t)) // an address that the first does not take
	if code := second.end(); code != 1 || !strings.Contains(second.log.String(), "Flags have no effect on it: --listen") {
		t.Errorf("the second copy ends with %d and says %q", code, second.log.String())
	}
	s.window()

	first.signal(syscall.SIGKILL)
	first.end()
	next := s.start("--hidden", "--listen", addr) // whatever the other left behind
	next.says("Running on " + addr)
	if code := s.start().end(); code != 0 {
		t.Errorf("the second copy of the next one ends with %d", code)
	}
	s.window()
	next.click("Quit")
	if code := next.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestQuitWaitsForRequests(t *testing.T) {
	s := newSession(t, true)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
	addr, other := freeAddr(t), freeAddr(t)
	p := s.start("--listen", addr)
	p.says("Running on " + addr)
	w := s.window()
	answer := slowStream(t, addr)
	before := s.settled(w, nil, "quit-before")
	p.click("Quit")
	p.says("Quitting: waiting for 1 request…")
	s.settled(w, before, "quit-waiting")
	if listens(addr) {
		t.Error("new requests are taken while the program is quitting")
	}
	told := s.start("--hidden")
	told.until("it to say that it waits", func() bool { return strings.Contains(told.log.String(), "this one starts when it has ended") })
	told.signal(syscall.SIGTERM)
	if code := told.end(); code != 0 {
		t.Errorf("a copy that waits and is told to end ends with %d", code)
	}
	next := s.start("--hidden", "--listen", other)
	if _, err := answer.ReadString('\n'); err != nil {
		t.Errorf("the stream does not go on: %v", err)
	}
	p.click("Quit now")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	cut(t, answer)
	next.says("Running on " + other) // it waited for its turn
	next.click("Quit")
	if code := next.end(); code != 0 {
		t.Errorf("exit code %d of the next copy", code)
	}
	wrongThread(t, p)
}

// A signal ends the program gently, a second one at once.
func TestSignalsWithAStream(t *testing.T) {
	s := newSession(t, true)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
	for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT} {
		t.Run(sig.String(), func(t *testing.T) {
			addr := freeAddr(t)
			p := s.start("--hidden", "--listen", addr)
			p.says("Running on " + addr)
			answer := slowStream(t, addr)
			p.signal(sig)
			p.until("the port to be free", func() bool { return !listens(addr) })
			for range 4 {
				if _, err := answer.ReadString('\n'); err != nil {
					t.Fatalf("the stream does not go on: %v", err)
				}
			}
			p.signal(sig)
			if code := p.end(); code != 4 {
				t.Errorf("exit code %d", code)
			}
			cut(t, answer)
		})
	}
}

// TestDisplayGoes: a display that ends before the program, as some do when a session ends, is
// like a signal to it.
func TestDisplayGoes(t *testing.T) {
	s := newSession(t, true)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	answer := slowStream(t, addr)
	must(t, s.screen.Process.Kill())
	p.until("the port to be free", func() bool { return !listens(addr) })
	if _, err := answer.ReadString('\n'); err != nil {
		t.Errorf("the stream does not go on: %v", err)
	}
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != 4 {
		t.Errorf("exit code %d", code)
	}
	cut(t, answer)
}

// TestDisplayDrawsNothing: a program that lives in the tray goes on where its window cannot be
// shown, however it is asked for.
func TestDisplayDrawsNothing(t *testing.T) {
	s := &session{t: t, plain: true}
	s.open(true, unlocked)
	s.env = append(s.env, "APEX_LOCAL_KEY="+localKey)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	answer := slowStream(t, addr)
	for i, ask := range []func(){ // the library fails in another way from the second time on
		p.activate,
		func() { p.click("Settings…") },
		func() { s.start().end() },
	} {
		ask()
		s.until("the log to say so", func() bool {
			return strings.Count(p.log.String(), "the window cannot be shown here") == i+1
		})
	}
	p.click("Stop")
	p.until("the port to be free", func() bool { return !listens(addr) })
	if _, err := answer.ReadString('\n'); err != nil {
		t.Errorf("the stream does not go on: %v", err)
	}
	p.click("Quit")
	p.click("Quit now")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnotherPort(t *testing.T) {
	s := newSession(t, true)
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer ln.Close()
	addr := ln.Addr().String()
	file := filepath.Join(s.home, ".config", "apex-ai-proxy", "settings.toml")
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(t, os.WriteFile(file, []byte("[app]\ntheme = \"light\"\n[server]\nlisten = \""+addr+"\"\n"), 0o600))
	p := s.start()
	w := s.window()
	p.says("Port " + addr[strings.LastIndexByte(addr, ':')+1:] + " is in use by ")
	s.until("the dialog", func() bool { return dimmed(t, s.picture(w, "port-dialog")) })
	s.key("Tab", "Tab", "space") // "Use …"
	p.says("Running on 127.0.0.1:")
	text, err := os.ReadFile(file)
	must(t, err)
	if strings.Contains(string(text), addr) {
		t.Errorf("the settings still have the old address:\n%s", text)
	}
	p.click("Quit")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	wrongThread(t, p)
}

// dimmed tells whether a light page lies below a dialog. It is nearly white by itself, and a
// window that is not drawn yet is black.
func dimmed(t testing.TB, picture []byte) bool {
	t.Helper()
	img := decoded(t, picture)
	corner := img.RGBAAt(img.Bounds().Min.X+4, img.Bounds().Min.Y+4).G
	return 200 < corner && corner < 236
}

func TestPanelRestarts(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	s.endPanel()
	s.panel()
	s.until("the icon to come back", func() bool { return s.registered() > 0 })
	p.says("Running on " + addr)
	p.until("the tooltip", func() bool { return strings.Contains(fmt.Sprint(p.property("ToolTip")), "Running on "+addr) })
	p.click("Stop")
	p.says("Stopped")
	p.click("Quit")
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}
