package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// patience is how long something may take that should be there in a moment. Software
// drawing on a busy machine is slow.
const patience = 60 * time.Second

// tools are the programs that a session is made of, with the packages of Debian they are
// in.
var tools = map[string]string{
	"Xvfb": "xvfb", "openbox": "openbox", "xfce4-panel": "xfce4-panel", "dbus-daemon": "dbus",
	"gnome-keyring-daemon": "gnome-keyring", "secret-tool": "libsecret-tools",
	"xdotool": "xdotool", "import": "imagemagick", "xclip": "xclip",
}

// session is a display with a window manager, a session bus, a keychain and, if wanted, a
// panel that shows tray icons.
type session struct {
	t    testing.TB
	home string
	env  []string
	bus  *dbus.Conn

	screen *exec.Cmd // the display
	plain  bool      // it draws no OpenGL
	tray   *exec.Cmd // the panel that shows icons, nil for none
	ring   *exec.Cmd // the keychain, nil for none
}

// keychain is the state of the keychain when a session begins.
type keychain int

const (
	unlocked keychain = iota
	bare              // unlocked, on a system that has no dialog to ask for its password
	absent
)

func newSession(t testing.TB, panel bool) *session {
	t.Helper()
	return newSessionWith(t, panel, unlocked)
}

func newSessionWith(t testing.TB, panel bool, ring keychain) *session {
	t.Helper()
	s := &session{t: t}
	s.open(panel, ring)
	return s
}

// open begins the session.
func (s *session) open(panel bool, ring keychain) {
	t := s.t
	t.Helper()
	requireTools(t)
	home, runtime := t.TempDir(), shortDir(t)
	for _, dir := range []string{".cache", ".config", ".local/share/keyrings"} {
		must(t, os.MkdirAll(filepath.Join(home, dir), 0o700))
	}
	s.home = home
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_RUNTIME_DIR=" + runtime,
		"LANG=C", "LIBGL_ALWAYS_SOFTWARE=1", "NO_AT_BRIDGE=1",
	}
	s.env = append(s.env, "DISPLAY="+s.display())
	address := s.sessionBus(runtime, ring != unlocked)
	s.env = append(s.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	bus, err := dbus.Connect(address)
	must(t, err)
	s.bus = bus
	t.Cleanup(func() { _ = bus.Close() })
	s.windowManager()
	if ring != absent {
		s.keyring(true)
	}
	if panel {
		s.panel()
	}
}

// windowManager starts one, and waits until it answers: it says all that it can do at once,
// and a window that is there before it cannot be given the focus.
func (s *session) windowManager() {
	s.t.Helper()
	s.keep("openbox")
	s.until("a window manager", func() bool {
		_, err := s.run("xdotool", "get_desktop")
		return err == nil
	})
	// With the first key that is ever pressed the display has another keyboard, upon which the
	// window manager gives up its own keys and asks for them again: one pressed meanwhile is lost.
	s.key("shift")
	s.mustRun("xdotool", "set_num_desktops", "2")
	s.until("the window manager to have seen a key", func() bool {
		out, err := s.run("xdotool", "get_num_desktops")
		return err == nil && strings.TrimSpace(out) == "2"
	})
}

// panel starts a panel that shows tray icons.
func (s *session) panel() {
	s.t.Helper()
	s.tray = s.command("xfce4-panel", "--disable-wm-check")
	s.begin(s.tray)
	s.until("a tray", func() bool { return s.trayHosted() })
}

// endPanel ends the panel as a crash would.
func (s *session) endPanel() {
	s.t.Helper()
	must(s.t, syscall.Kill(-s.tray.Process.Pid, syscall.SIGKILL))
	// A panel that starts while the name is still taken believes that one is running already.
	s.until("the panel to go", func() bool { return !s.trayHosted() && !s.owned("org.xfce.Panel") })
}

// registered is how many icons the tray knows of.
func (s *session) registered() int {
	v, err := s.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").
		GetProperty("org.kde.StatusNotifierWatcher.RegisteredStatusNotifierItems")
	items, _ := v.Value().([]string)
	if err != nil {
		return 0
	}
	return len(items)
}

func requireTools(t testing.TB) {
	t.Helper()
	var missing []string
	for name, pkg := range tools {
		if _, err := exec.LookPath(name); err != nil {
			missing = append(missing, pkg)
		}
	}
	if len(missing) > 0 {
		t.Fatalf("the desktop tests need packages that are not installed: %s", strings.Join(missing, " "))
	}
}

// shortDir is a folder whose path is short enough for sockets in it.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("/tmp", "e2e") // as the display's, wherever TMPDIR is
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// display starts a display on a number that is free. It stays as it is when its last client
// leaves: by itself it would begin anew then, and throw out whoever is just coming, as the
// window manager does while a tool asks for it.
func (s *session) display() string {
	r, w, err := os.Pipe()
	must(s.t, err)
	defer r.Close()
	args := []string{"-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"}
	if s.plain {
		args = append(args, "-extension", "GLX")
	}
	cmd := s.command("Xvfb", args...)
	cmd.ExtraFiles = []*os.File{w}
	s.begin(cmd)
	s.screen = cmd
	must(s.t, w.Close())
	number, err := bufio.NewReader(r).ReadString('\n')
	must(s.t, err)
	return ":" + strings.TrimSpace(number)
}

// A bus that is bare starts no services by itself.
const bareBus = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s/bus</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

func (s *session) sessionBus(dir string, bare bool) string {
	args := []string{"--nofork", "--print-address=1"}
	if bare {
		config := filepath.Join(dir, "bus.conf")
		must(s.t, os.WriteFile(config, fmt.Appendf(nil, bareBus, dir), 0o600))
		args = append(args, "--config-file="+config)
	} else {
		args = append(args, "--session", "--address=unix:path="+filepath.Join(dir, "bus"))
	}
	cmd := s.command("dbus-daemon", args...)
	out, err := cmd.StdoutPipe()
	must(s.t, err)
	s.begin(cmd)
	address, err := bufio.NewReader(out).ReadString('\n')
	must(s.t, err)
	return strings.TrimSpace(address)
}

// password is the keychain's.
const password = "a password for this test"

// keyring starts the keychain, which is made at the first time, and unlocks it if wanted.
func (s *session) keyring(unlock bool) {
	s.t.Helper()
	args := []string{"--foreground", "--components=secrets"}
	if unlock {
		args = append(args, "--unlock")
	}
	s.ring = s.command("gnome-keyring-daemon", args...)
	s.ring.Stdin = strings.NewReader(password)
	s.begin(s.ring)
	s.until("the keychain", func() bool { return s.owned(secretService) })
}

const secretService = "org.freedesktop.secrets"

// lock has the keychain as after a login without a password: it is there, and locked.
func (s *session) lock() {
	s.t.Helper()
	s.endKeyring()
	s.keyring(false)
}

func (s *session) endKeyring() {
	s.t.Helper()
	must(s.t, syscall.Kill(-s.ring.Process.Pid, syscall.SIGKILL))
	s.until("the keychain to go", func() bool { return !s.owned(secretService) })
}

// unlock opens the keychain, as another program does that knows the password.
func (s *session) unlock() {
	s.t.Helper()
	service := s.bus.Object(secretService, "/org/freedesktop/secrets")
	var nothing dbus.Variant
	var key dbus.ObjectPath
	must(s.t, service.Call("org.freedesktop.Secret.Service.OpenSession", 0, "plain", dbus.MakeVariant("")).Store(&nothing, &key))
	type secret struct {
		Session     dbus.ObjectPath
		Parameters  []byte
		Value       []byte
		ContentType string
	}
	must(s.t, service.Call("org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.UnlockWithMasterPassword", 0,
		dbus.ObjectPath("/org/freedesktop/secrets/collection/login"), secret{key, nil, []byte(password), "text/plain"}).Err)
}

func (s *session) owned(name string) bool {
	var owned bool
	err := s.bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned)
	return err == nil && owned
}

func (s *session) trayHosted() bool {
	v, err := s.bus.Object("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher").
		GetProperty("org.kde.StatusNotifierWatcher.IsStatusNotifierHostRegistered")
	hosted, _ := v.Value().(bool)
	return err == nil && hosted
}

// notifications stands for a desktop that shows notifications, and returns what they say.
func (s *session) notifications() <-chan string {
	s.t.Helper()
	told := make(chan string, 10)
	show := func(_ string, _ uint32, _, _, text string, _ []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
		told <- text
		return 1, nil
	}
	const name = "org.freedesktop.Notifications"
	must(s.t, s.bus.ExportMethodTable(map[string]any{"Notify": show}, "/org/freedesktop/Notifications", name))
	_, err := s.bus.RequestName(name, dbus.NameFlagDoNotQueue)
	must(s.t, err)
	return told
}

// command is a command in the session. It has a process group of its own, which ends with
// the test.
func (s *session) command(name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Env = s.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return cmd
}

// begin starts a command that is ended with the test. What it complains about is told when
// the test fails.
func (s *session) begin(cmd *exec.Cmd) {
	s.t.Helper()
	log, err := os.Create(filepath.Join(s.t.TempDir(), "log")) // a pipe would be held open by what it starts
	must(s.t, err)
	defer log.Close()
	cmd.Stderr = log
	must(s.t, cmd.Start())
	s.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
		if said, _ := os.ReadFile(log.Name()); s.t.Failed() && len(said) > 0 {
			s.t.Logf("%s said:\n%s", cmd.Args[0], said[max(0, len(said)-1024):])
		}
	})
}

func (s *session) keep(name string, args ...string) { s.begin(s.command(name, args...)) }

// run runs a tool and returns what it prints.
func (s *session) run(name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = s.env
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		exit.Stderr = errs.Bytes()
	}
	if err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.String(), nil
}

func (s *session) mustRun(name string, args ...string) string {
	s.t.Helper()
	out, err := s.run(name, args...)
	must(s.t, err)
	return out
}

// until waits for something that the test cannot be told about.
func (s *session) until(what string, cond func() bool) {
	s.t.Helper()
	limit := time.Now().Add(patience)
	for !cond() {
		if time.Now().After(limit) {
			s.t.Fatalf("waited in vain for %s", what)
		}
		<-time.After(50 * time.Millisecond)
	}
}

// windows are the visible windows of the program, as xdotool names them.
func (s *session) windows() (list []string) {
	s.t.Helper()
	s.until("the list of the windows", func() bool {
		out, err := s.run("xdotool", "search", "--onlyvisible", "--name", "^Apex AI Proxy$")
		list = strings.Fields(out)
		var none *exec.ExitError // without a word: there is none. It stumbles over one that just goes.
		return err == nil || errors.As(err, &none) && none.ExitCode() == 1 && len(none.Stderr) == 0
	})
	return list
}

// window waits for the program's window to be drawn, and gives it the focus.
func (s *session) window() (w string) {
	s.t.Helper()
	s.until("the window, with the focus", func() bool {
		list := s.windows()
		if len(list) == 0 {
			return false
		}
		w = list[0]
		if active, err := s.run("xdotool", "getactivewindow"); err != nil || strings.TrimSpace(active) != w {
			_, _ = s.run("xdotool", "windowactivate", w) // again, should it be too early
			return false
		}
		png, err := s.shot(w)
		return err == nil && !blank(s.t, png)
	})
	return w
}

func (s *session) key(keys ...string) {
	s.t.Helper()
	s.mustRun("xdotool", append([]string{"key", "--delay", "60"}, keys...)...)
}

func (s *session) clipboard() string {
	out, err := s.run("timeout", "5", "xclip", "-out", "-selection", "clipboard")
	if err != nil {
		return ""
	}
	return out
}

// picture is what the window shows, as a PNG. With APEX_SCREENSHOTS=DIR it is kept there.
func (s *session) picture(window, name string) (png []byte) {
	s.t.Helper()
	s.until("the picture "+name, func() (ok bool) {
		var err error
		png, err = s.shot(window) // none while its size changes
		return err == nil
	})
	if dir := os.Getenv("APEX_SCREENSHOTS"); dir != "" {
		must(s.t, os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644))
	}
	return png
}

func (s *session) shot(window string) (png []byte, err error) {
	out, err := s.run("import", "-window", window, "png:-")
	return []byte(out), err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is the running program.
type program struct {
	*session
	cmd  *exec.Cmd
	log  *lockedBuffer
	done chan error
}

// start runs the built program.
func (s *session) start(args ...string) *program {
	s.t.Helper()
	p := &program{session: s, cmd: s.command(binary, args...), log: &lockedBuffer{}, done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	must(s.t, p.cmd.Start())
	ended := make(chan struct{})
	go func() { p.done <- p.cmd.Wait(); close(ended) }()
	s.t.Cleanup(func() {
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-ended
		if s.t.Failed() {
			s.t.Logf("the program said:\n%s", p.log)
		}
	})
	return p
}

// end waits for the program to end and returns its exit code.
func (p *program) end() int {
	p.t.Helper()
	select {
	case err := <-p.done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return exit.ExitCode()
		}
		must(p.t, err)
		return 0
	case <-time.After(patience):
		p.signal(syscall.SIGQUIT) // it says in its log what every goroutine does
		<-p.done
		p.t.Fatalf("the program does not end; windows seen: %v", p.windows())
		return -1
	}
}

func (p *program) signal(sig syscall.Signal) { must(p.t, p.cmd.Process.Signal(sig)) }

var _ io.Writer = (*lockedBuffer)(nil)
