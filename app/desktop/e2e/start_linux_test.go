package e2e

import (
	"image"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A start that has nothing to complain about prints what the proxy says, and nothing of
// the libraries below the window: in a home where nothing is yet, without a panel.
func TestStartIsQuiet(t *testing.T) {
	s := newSession(t, false)
	must(t, os.RemoveAll(filepath.Join(s.home, ".cache")))
	must(t, os.RemoveAll(filepath.Join(s.home, ".config")))
	addr := freeAddr(t)
	p := s.start("--listen", addr, "--account", account, "--gateway", "home")
	s.window()
	p.says("Running on " + addr)
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for line := range strings.Lines(p.log.String()) {
		if !strings.HasPrefix(line, "time=") || !strings.Contains(line, " level=INFO ") {
			t.Errorf("it prints %q", line)
		}
	}
}

// Without a session bus none is started, which would outlive the program.
func TestNoBusIsStarted(t *testing.T) {
	s := newSession(t, false)
	for i, v := range s.env {
		if strings.HasPrefix(v, "DBUS_SESSION_BUS_ADDRESS=") {
			s.env[i] = "XDG_RUNTIME_DIR=" + filepath.Join(s.home, "none")
		}
	}
	addr := freeAddr(t)
	p := s.start("--listen", addr)
	s.window()
	s.until("the port to be open", func() bool { return listens(addr) })
	p.signal(syscall.SIGTERM)
	if code := p.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(filepath.Join(s.home, ".dbus")); err == nil {
		t.Error("a bus was started")
	}
}

// The tray shows the state of now from the first moment that the menu does, whatever Fyne
// does to the icon at the start.
func TestIconAfterStart(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	var running string
	for range 5 {
		p := s.start("--hidden", "--listen", addr)
		p.says("Running on " + addr)
		<-time.After(300 * time.Millisecond) // for what would come late
		if tip := p.tip(); !strings.Contains(tip, "Running on "+addr) {
			t.Errorf("the tooltip is %q", tip)
		}
		if running == "" {
			p.click("Stop")
			p.says("Stopped")
			stopped := p.icon()
			p.click("Start")
			p.says("Running on " + addr)
			p.until("another icon, at rest", func() bool {
				last := running
				running = p.icon()
				return running != stopped && running == last && strings.Contains(p.tip(), "Running on "+addr)
			})
		} else if p.icon() != running {
			t.Error("the icon is not that of a proxy that runs")
		}
		p.click("Quit")
		if code := p.end(); code != 0 {
			t.Errorf("exit code %d", code)
		}
	}
}

// A program that only lives in the tray has nothing loaded to draw with, which is most of what
// one needs that has.
func TestHiddenDrawsNothing(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	if lib := p.drawing(); lib != "" {
		t.Errorf("it has loaded %s", lib)
	}
	p.activate()
	s.window()
	if p.drawing() == "" {
		t.Error("the window is drawn by nothing that is known here")
	}
}

// drawing is the library that draws for the program, if it is loaded.
func (p *program) drawing() string {
	p.t.Helper()
	maps, err := os.ReadFile(p.proc("maps"))
	must(p.t, err)
	return regexp.MustCompile(`\S+(_dri\.so|libgallium\S*)`).FindString(string(maps))
}

// TestWindowComesBack: its size and its page are kept, however the program ends.
func TestWindowComesBack(t *testing.T) {
	s := newSession(t, false)
	guided(t, s)
	for i, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGKILL} {
		width, height := 900+20*i, 600+20*i
		p := s.start("--listen", freeAddr(t))
		w := s.window()
		before := s.settled(w, nil, "back-before")
		s.mustRun("xdotool", "windowsize", "--sync", w, strconv.Itoa(width), strconv.Itoa(height))
		s.key("ctrl+" + strconv.Itoa(3+i))
		s.until("the window to be remembered", func() bool {
			prefs, _ := os.ReadFile(filepath.Join(s.home, ".config/fyne/dev.apexaiproxy.desktop/preferences.json"))
			return strings.Contains(string(prefs), `"window.width":`+strconv.Itoa(width)) && strings.Contains(string(prefs), `"window.page":`+strconv.Itoa(2+i))
		})
		var after []byte
		s.until("another page", func() bool {
			after = s.settled(w, nil, "back-after")
			return !change(t, sidebar, before, after).Empty()
		})
		p.signal(sig)
		p.end()

		p = s.start("--listen", freeAddr(t))
		w = s.window()
		s.until("the same page in the same size", func() bool {
			again := s.picture(w, "back-again")
			return decoded(t, again).Bounds() == decoded(t, after).Bounds() && change(t, sidebar, after, again).Empty()
		})
		p.signal(syscall.SIGKILL)
		p.end()
	}
}

// sidebar is where the pages are.
var sidebar = image.Rect(0, 0, 180, 400)

// guided gives the program settings with which it does not show its guide.
func guided(t testing.TB, s *session) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(s.settings()), 0o700))
	must(t, os.WriteFile(s.settings(), []byte("[app]\ntheme = \"light\"\nguided = true\n"), 0o600))
}

// settings is the program's settings file.
func (s *session) settings() string {
	return filepath.Join(s.home, ".config", "apex-ai-proxy", "settings.toml")
}

// The lines of the tray menu stay what they are while the state changes: who has the menu
// open clicks on what it says, and no system runs out of numbers for them.
func TestTrayMenuKeepsItsLines(t *testing.T) {
	s := newSession(t, true)
	addr := freeAddr(t)
	p := s.start("--hidden", "--listen", addr)
	p.says("Running on " + addr)
	s.until("the local key to be there", func() bool {
		_, l, ok := p.find("Copy local key")
		return ok && l.enabled
	})
	_, before := p.menu()
	for range 10 {
		p.click("Stop")
		p.says("Stopped")
		p.click("Start")
		p.says("Running on " + addr)
	}
	if _, now := p.menu(); len(before) < 10 || !slices.Equal(now, before) {
		t.Errorf("it is %v, and was %v", now, before)
	}
}
