package ui

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/ui/presenter"
)

var portTaken = presenter.Status{
	State: presenter.Failed, Addr: "127.0.0.1:8787",
	Err: &presenter.PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 1204)", Err: errors.New("in use")},
}

// notifications are those that were shown so far: n, which are waited for, or more.
func (s *stage) notifications(n int) (out []string) {
	s.settle()
	for limit := time.After(time.Minute); len(out) < n; {
		select {
		case f := <-s.queue:
			f()
		case text := <-s.told:
			out = append(out, text)
		case <-limit:
			return out
		}
	}
	s.settle()
	wait := time.After(50 * time.Millisecond)
	for {
		select {
		case text := <-s.told:
			out = append(out, text)
		case <-wait:
			return out
		}
	}
}

func TestAnotherPortIsOffered(t *testing.T) {
	c := readyCore()
	c.next = "127.0.0.1:8788"
	s := newStage(t, c)
	s.start()
	if s.window.overview.elsewhere.Visible() {
		t.Fatal("another port is offered to a proxy that runs")
	}
	c.set(portTaken)
	s.until("the dialog", func() bool { return s.offer.dialog != nil })
	if top := s.window.win.Canvas().Overlays().Top(); top == nil {
		t.Fatal("no dialog asks")
	}
	c.set(portTaken) // told again
	s.settle()
	if n := len(s.window.win.Canvas().Overlays().List()); n != 1 {
		t.Errorf("%d dialogs", n)
	}
	if o := s.window.overview; !o.elsewhere.Visible() || o.other.Text != "Use 8788" {
		t.Errorf("the overview offers %q", o.other.Text)
	}
	test.Tap(s.offer.dialog.save)
	s.until("the settings", func() bool { return s.core.Settings().Server.Listen == c.next })
	c.set(presenter.Status{State: presenter.Running, Addr: c.next})
	s.settle()
	if s.window.overview.elsewhere.Visible() || s.window.win.Canvas().Overlays().Top() != nil {
		t.Error("it is still offered")
	}
}

func TestAnotherPortWaitsForTheWindow(t *testing.T) {
	c := readyCore()
	c.next = "127.0.0.1:8788"
	c.status = portTaken
	s := newStage(t, c)
	s.Start(true)
	s.until("the offer", func() bool { return s.offer.addr != "" })
	if s.window != nil {
		t.Fatal("it opens a window")
	}
	s.show()
	if s.offer.dialog == nil {
		t.Error("the window does not ask")
	}
	test.Tap(s.window.overview.other)
	s.until("the settings", func() bool { return s.core.Settings().Server.Listen == c.next })
}

func TestNoPortIsOfferedWhereItWouldNotHelp(t *testing.T) {
	c := readyCore()
	c.next = "127.0.0.1:8788"
	c.status = presenter.Status{State: presenter.Failed, Addr: "127.0.0.1:8787", Err: &presenter.PortError{
		Addr: "127.0.0.1:8787", Holder: "nginx (pid 1204)", Source: "flag --listen", Err: errors.New("in use"),
	}}
	s := newStage(t, c)
	s.start()
	s.pass()
	if s.offer.addr != "" {
		t.Error("a port is offered although a flag decides")
	}
}

// A proxy that an error keeps from running is seen on every page, with a way to what can be
// done.
func TestAFailureIsSeenOnEveryPage(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.window.open(pageModels)
	mark := s.window.side.state
	if mark.alarm.Visible() || mark.why.Visible() {
		t.Error("a proxy that runs raises an alarm")
	}
	s.core.set(portTaken)
	s.settle()
	if !mark.alarm.Visible() || mark.word.text != "Not running" || !mark.why.Visible() || mark.why.text != "Port 8787 is in use by nginx (pid 1204)" {
		t.Errorf("alarm %t, %q: %q", mark.alarm.Visible(), mark.word.text, mark.why.text)
	}
	test.Tap(mark)
	if s.window.current != pageOverview {
		t.Error("a click does not lead to the overview")
	}
	s.core.set(presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"})
	s.settle()
	if mark.alarm.Visible() || mark.why.Visible() || mark.word.text != "Running" {
		t.Errorf("a proxy that runs again is shown as %q", mark.word.text)
	}
}

func TestNotifications(t *testing.T) {
	const failed = "The proxy could not start. Open the window to see why."
	const stopped = "The proxy has stopped unexpectedly. Open the window to see why."
	const refused = "The gateway refused the token. Replace it in Settings."
	broken := presenter.Status{State: presenter.Failed, Addr: "127.0.0.1:8787", Err: errors.New("broken")}
	refusal := workday()[9]
	refusal.ErrorKind, refusal.Start = "cf_2009", time.Now()
	for name, c := range map[string]struct {
		do   func(*stage)
		want []string
	}{
		"failed start": {func(s *stage) {
			s.core.set(presenter.Status{State: presenter.Starting})
			s.core.set(broken)
			s.core.set(presenter.Status{State: presenter.Starting})
			s.core.set(broken)
		}, []string{failed}},
		"taken port": {func(s *stage) {
			s.core.set(presenter.Status{State: presenter.Starting})
			s.core.set(portTaken)
		}, []string{"The proxy could not start: port 8787 is in use by another program. Open the window to see what you can do."}},
		"taken port, switched off": {func(s *stage) {
			s.settings.Notifications.FailedStart = false
			s.core.set(presenter.Status{State: presenter.Starting})
			s.core.set(portTaken)
		}, nil},
		"stopped": {func(s *stage) {
			s.core.set(broken)
			s.settle()
			if got := s.notifications(0); len(got) > 0 {
				s.t.Errorf("told at once: %q", got)
			}
			s.pass()
		}, []string{stopped}},
		"stopped and back": {func(s *stage) {
			s.core.set(broken)
			s.core.set(presenter.Status{State: presenter.Running, Addr: "127.0.0.1:8787"})
			s.settle()
			s.pass()
		}, nil},
		"stopped by the user": {func(s *stage) { s.core.set(presenter.Status{State: presenter.Stopped}) }, nil},
		"token":               {func(s *stage) { s.publish(refusal) }, []string{refused}},
		"switched off": {func(s *stage) {
			s.settings.Notifications.Token = false
			s.publish(refusal)
		}, nil},
		"at the window": {func(s *stage) {
			s.show()
			s.focused = true
			s.publish(refusal)
		}, nil},
		"beside the window": {func(s *stage) {
			s.show()
			s.focused = false
			s.publish(refusal)
		}, []string{refused}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, readyCore())
			s.Start(true)
			s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
			c.do(s)
			if got := s.notifications(len(c.want)); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestARefusedTokenNeedsAttention(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	x := workday()[9]
	x.ErrorKind = "cf_2009"
	s.publish(x)
	if s.tray.icon != presenter.IconAttention || !strings.Contains(s.tray.items()[0].Label, "attention") {
		t.Errorf("icon %d, the menu says %q", s.tray.icon, s.tray.items()[0].Label)
	}
	if !s.window.overview.gaps.Visible() {
		t.Error("the overview asks for nothing")
	}
	x = workday()[3]
	x.Phase = event.Done
	s.publish(x)
	if s.tray.icon != presenter.IconRunning || s.window.overview.gaps.Visible() {
		t.Error("a request that was answered changes nothing")
	}
	x = workday()[9]
	x.ID, x.ErrorKind = "req_again", "cf_2009"
	s.publish(x)
	s.tokenChanged()
	if s.headline().Icon == presenter.IconAttention {
		t.Error("a new token is not given a chance")
	}
}

func TestQuitSaysWhatItWaitsFor(t *testing.T) {
	c := readyCore()
	c.active = 2
	release := make(chan struct{})
	c.stop = func(ctx context.Context) {
		select {
		case <-release:
		case <-ctx.Done():
		}
	}
	s := newStage(t, c)
	s.start()
	s.act(presenter.Quit)
	const waiting = "Quitting: waiting for 2 requests…"
	if s.tray.shown[0].Label != waiting || s.window.ending == nil || s.window.ending.text.text != waiting {
		t.Fatalf("the tray says %q", s.tray.shown[0].Label)
	}
	if !s.window.visible || !s.Ending() {
		t.Error("the window went, or the program does not know that it ends")
	}
	c.mu.Lock()
	c.active = 1
	c.mu.Unlock()
	s.pass()
	if got, note := s.window.ending.text.text, s.window.ending.note.text; got != "Quitting: waiting for 1 request…" || note != "The program waits at most a minute. If you quit now, the request ends with an error." {
		t.Errorf("the window says %q and %q", got, note)
	}
	c.mu.Lock()
	c.active = 0
	c.mu.Unlock()
	s.pass()
	if s.window.visible {
		t.Error("the window stays although there is nothing to wait for")
	}
	close(release)
	s.until("the end", func() bool { return s.quits == 1 })
}

func TestQuitNow(t *testing.T) {
	c := readyCore()
	c.active = 1
	c.stop = func(ctx context.Context) { <-ctx.Done() }
	s := newStage(t, c)
	s.start()
	s.menuItem("Quit").Action()
	s.menuItem("Quit now").Action()
	if s.quits != 1 {
		t.Errorf("quit %d times", s.quits)
	}
}

// Return and Space answer what the window says while it waits.
func TestQuitNowByKey(t *testing.T) {
	for _, key := range []fyne.KeyName{fyne.KeyReturn, fyne.KeySpace} {
		s := sceneQuitting(t)
		s.press(fyne.KeyEscape) // there is no way back
		if s.quits != 0 {
			t.Fatal("Escape quits")
		}
		s.press(key)
		if s.quits != 1 {
			t.Errorf("%s quits %d times", key, s.quits)
		}
	}
}

// TestSessionEnds: the system ends the program when this has returned, and does not wait long.
func TestSessionEnds(t *testing.T) {
	c := readyCore()
	stopped := false
	c.stop = func(ctx context.Context) {
		end, limited := ctx.Deadline()
		stopped = limited && time.Until(end) <= sessionLimit
	}
	s := newStage(t, c)
	s.start()
	s.window.open(pageModels)
	s.sessionEnds()
	if !stopped || !s.Ending() || s.quits != 0 {
		t.Errorf("the proxy was stopped in time %t, the program is ending %t, was quit %d times", stopped, s.Ending(), s.quits)
	}
	if page := s.app.Preferences().Int(keyPage); page != pageModels {
		t.Errorf("page %d is remembered", page)
	}
}

func TestWindowIsRemembered(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.window.open(pageClients)
	s.window.win.Resize(size(900, 600))
	s.window.requests.split.SetOffset(0.3)
	s.window.close()
	s.until("the window to hide", func() bool { return !s.window.visible })
	w := newWindow(s.UI)
	defer w.win.Close()
	if got := w.win.Canvas().Size(); w.current != pageClients || got != size(900, 600) || w.requests.split.Offset != 0.3 {
		t.Errorf("page %d, size %v, divided at %v", w.current, got, w.requests.split.Offset)
	}
	s.app.Preferences().SetInt(keyPage, 99)
	s.app.Preferences().SetFloat(keyWidth, 3)
	s.app.Preferences().SetFloat(keySplit, -7)
	w = newWindow(s.UI)
	defer w.win.Close()
	if got := w.win.Canvas().Size(); w.current != pageOverview || got.Width < leastWidth || w.requests.split.Offset < 0.1 {
		t.Errorf("of nonsense: page %d, size %v", w.current, got)
	}
}

// A signal leaves no time for it.
func TestWindowIsRememberedWhileItIsOpen(t *testing.T) {
	s := newStage(t, readyCore())
	s.start()
	s.pass()
	p := s.app.Preferences()
	s.window.win.Resize(size(1000, 640))
	s.pass()
	if w, h := p.Float(keyWidth), p.Float(keyHeight); w != 1000 || h != 640 {
		t.Errorf("%v x %v is remembered", w, h)
	}
	s.window.open(pageModels)
	s.pass()
	if page := p.Int(keyPage); page != pageModels {
		t.Errorf("page %d is remembered", page)
	}
}

func TestNoTrayIsSaidOnce(t *testing.T) {
	s := newStage(t, readyCore())
	s.hosted = false
	s.start()
	for range hostTries {
		if s.window.overview.trayless.Visible() {
			t.Fatal("said before the panel had its time")
		}
		s.until("an answer about the tray", func() bool { return len(s.timers) > 0 || s.hostless })
		s.pass()
	}
	o := s.window.overview
	if !o.trayless.Visible() {
		t.Fatal("nothing is said")
	}
	test.Tap(o.known)
	w := newWindow(s.UI)
	defer w.win.Close()
	w.visible = true
	w.refresh()
	if o.trayless.Visible() || w.overview.trayless.Visible() {
		t.Error("it is said again")
	}
}

// loop is a goroutine like Fyne's.
type loop struct {
	queue chan func()
	polls atomic.Int32
}

func runLoop(ctx context.Context) *loop {
	l := &loop{queue: make(chan func(), 1000)}
	go func() {
		tick := time.NewTicker(time.Second / 60)
		defer tick.Stop()
		for {
			select {
			case f := <-l.queue:
				f()
			case <-tick.C:
				l.polls.Add(1)
			case <-ctx.Done():
				return
			}
		}
	}()
	return l
}

func TestParking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l := runLoop(ctx)
		p := newParking(func(f func()) { l.queue <- f }, 250*time.Millisecond, Doze{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			p.run(ctx)
		}()
		polls := func() int32 {
			l.polls.Store(0)
			time.Sleep(10 * time.Second)
			return l.polls.Load()
		}
		if n := polls(); n < 590 {
			t.Errorf("polled %d times while something can be seen", n)
		}
		p.set(true)
		time.Sleep(time.Second)
		if n := polls(); n > 100 {
			t.Errorf("polled %d times while nothing can be seen", n)
		}
		for range 20 {
			time.Sleep(37 * time.Millisecond)
			begin := time.Now()
			done := make(chan struct{})
			p.Do(func() { close(done) })
			<-done
			if late := time.Since(begin); late > 0 {
				t.Fatalf("what is to be done waits %v", late)
			}
		}
		p.set(false)
		time.Sleep(time.Second)
		if n := polls(); n < 590 {
			t.Errorf("polled %d times while something can be seen again", n)
		}
		p.set(true)
		time.Sleep(time.Second)
		cancel() // with a loop that runs nothing any more
		<-ended
	})
}

// A loop that is about to end must not be kept.
func TestLeavingUnparks(t *testing.T) {
	s := newStage(t, readyCore())
	s.Start(true)
	if !s.parking.idle.Load() || s.shown {
		t.Fatal("a hidden program is not parked")
	}
	s.show()
	if s.parking.idle.Load() || !s.shown || !s.early {
		t.Error("it is parked with a window")
	}
	s.window.close()
	s.until("the window to hide", func() bool { return !s.window.visible })
	if !s.parking.idle.Load() || s.shown {
		t.Error("it is not parked again")
	}
	s.Leave()
	s.settle()
	if s.rest(); s.quits != 1 || s.parking.idle.Load() || !s.Ending() {
		t.Errorf("quit %d times, parked %t", s.quits, s.parking.idle.Load())
	}
}

// One click must not put the defaults in the place of a settings file that cannot be read.
func TestNoPortIsOfferedWithABrokenFile(t *testing.T) {
	c := newFakeCore()
	c.broken, c.notices = true, []prose.Text{prose.New("the settings file cannot be understood")}
	c.next = "127.0.0.1:8788"
	c.status = presenter.Status{State: presenter.Failed, Addr: "127.0.0.1:8787", Err: &presenter.PortError{Addr: "127.0.0.1:8787", Holder: "nginx (pid 12)", Err: errors.New("in use")}}
	s := newStage(t, c)
	s.start()
	s.settle()
	w := s.window
	if s.offer.port != nil || s.offer.dialog != nil || len(c.saved) > 0 {
		t.Errorf("offered %+v, saved %d times", s.offer, len(c.saved))
	}
	if w.overview.headline.text != "Port 8787 is in use by nginx (pid 12)" {
		t.Errorf("headline %q", w.overview.headline.text)
	}
	all := []*notices{w.overview.notices, w.models.notices, w.settings.notices}
	for i, n := range all {
		if n.box.Hidden || len(n.box.Objects) != 2 { // the buttons are the second
			t.Errorf("page %d does not tell", i)
		}
	}
	c.broken, c.notices = false, nil
	s.setSettings()
	for i, n := range all {
		if !n.box.Hidden {
			t.Errorf("page %d still tells", i)
		}
	}
}

func TestKeyOfThisRunIsCalledSo(t *testing.T) {
	for _, fleeting := range []bool{false, true} {
		c := readyCore()
		c.fleeting = fleeting
		s := newStage(t, c)
		s.start()
		if got := s.window.overview.keyNote.Visible(); got != fleeting {
			t.Errorf("said %v, want %v", got, fleeting)
		}
	}
}

// TestNoWindowCanBeDrawn: the toolkit would end the program when it fails to make one. Whoever
// asks for it is told, and finds it as soon as one can be made.
func TestNoWindowCanBeDrawn(t *testing.T) {
	failed := workday()[5]
	failed.Start = time.Now()
	for name, ask := range map[string]func(*stage){
		"Open window":    func(s *stage) { s.menuItem("Open window").Action() },
		"Settings…":      func(s *stage) { s.menuItem("Settings…").Action() },
		"Default model…": func(s *stage) { s.menuItem("Default model…").Action() },
		"login": func(s *stage) {
			s.core.loginErr = errors.New("the folder cannot be written")
			s.menuItem("Launch at login").Action()
		},
		"model":        func(s *stage) { s.saved(errors.New("the disk is full")) },
		"second start": func(s *stage) { s.Show("listen") },
		"error":        func(s *stage) { s.do(presenter.TrayItem{Action: presenter.ShowRequest, Arg: failed.ID}) },
		"no tray": func(s *stage) {
			s.hosted = false
			s.awaitHost(1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t, readyCore())
			s.Start(true)
			s.until("the token's state", func() bool { return s.token != presenter.SecretChecking })
			s.publish(failed)
			s.UI.Started()
			s.blind = true
			ask(s)
			said := s.notifications(1)
			if len(said) == 0 || s.window != nil || s.seen() || !strings.HasPrefix(said[0], "The window cannot be shown") {
				t.Fatalf("window %t, said %q", s.window != nil, said)
			}
			s.blind = false
			ask(s)
			s.until("the window", s.seen)
		})
	}
}

// TestDisplayIsNotTriedAtTheStart: a window that the program starts with fails with it, and a
// window that was shown can be shown again.
func TestDisplayIsNotTriedAtTheStart(t *testing.T) {
	s := newStage(t, readyCore())
	s.blind = true
	s.start()
	s.UI.Started()
	s.window.hide()
	s.show()
	if !s.seen() {
		t.Error("there is no window")
	}
}
