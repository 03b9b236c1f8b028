package secret

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// These tests talk to a real Secret Service: the test binary runs itself again inside a
// session bus of its own, with a home folder of its own, and starts gnome-keyring there.
// Nothing of the developer's session can be reached from it.

const stateVariable = "APEX_TEST_SESSION"

// The bus starts no services by itself, so the states do not depend on what is installed.
const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-BUS Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:dir=%s</listen>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

func TestSecretService(t *testing.T) {
	for program, pkg := range map[string]string{"dbus-run-session": "dbus", "gnome-keyring-daemon": "gnome-keyring"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Fatalf("%s is needed to test against a real keychain: install the package %s", program, pkg)
		}
	}
	for _, state := range []string{"unlocked", "locked", "no service"} {
		t.Run(state, func(t *testing.T) {
			home, err := os.MkdirTemp("/tmp", "apex") // short: the path of a socket has a limit
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(home) })
			config := filepath.Join(home, "bus.conf")
			err = errors.Join(
				os.MkdirAll(filepath.Join(home, ".local/share/keyrings"), 0o700),
				os.WriteFile(config, fmt.Appendf(nil, busConfig, home), 0o600))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
			defer cancel()
			cmd := exec.CommandContext(ctx, "dbus-run-session", "--config-file="+config, "--", os.Args[0])
			cmd.Env = []string{
				"HOME=" + home, "XDG_RUNTIME_DIR=" + home, "PATH=" + os.Getenv("PATH"), "LC_ALL=C",
				stateVariable + "=" + state,
			}
			out, err := cmd.CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte("all checks done")) {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func runInsideSession() (code int, inside bool) {
	checks := map[string]func(context.Context) error{
		"unlocked":   checkUnlocked,
		"locked":     checkLocked,
		"no service": checkNoService,
	}
	check, inside := checks[os.Getenv(stateVariable)]
	if !inside {
		return 0, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	if err := check(ctx); err != nil {
		fmt.Println(err)
		return 1, true
	}
	fmt.Println("all checks done")
	return 0, true
}

// daemon starts gnome-keyring and waits for its name on the bus. With a password the
// login keyring is created or unlocked.
func daemon(ctx context.Context, password string) (stop func() error, err error) {
	args := []string{"--foreground", "--components=secrets"}
	if password != "" {
		args = append(args, "--unlock")
	}
	cmd := exec.CommandContext(ctx, "gnome-keyring-daemon", args...)
	cmd.Stdin = strings.NewReader(password)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	bus, err := dbus.ConnectSessionBus()
	if err != nil {
		return nil, err
	}
	defer bus.Close()
	changed := make(chan *dbus.Signal, 16)
	bus.Signal(changed)
	if err := bus.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, "org.freedesktop.secrets")); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	for {
		select {
		case s := <-changed:
			if len(s.Body) == 3 && s.Body[2] != "" {
				return func() error { _ = cmd.Process.Kill(); _ = cmd.Wait(); return nil }, nil
			}
		case <-ctx.Done():
			return nil, errors.New("gnome-keyring has not come up")
		}
	}
}

func checkUnlocked(ctx context.Context) error {
	stop, err := daemon(ctx, "test")
	if err != nil {
		return err
	}
	defer stop()
	k, other := NewKeychain(), NewKeychain() // other remembers nothing of what k did
	if !k.Ready(ctx) {
		return errors.New("an open keychain is not ready")
	}
	long := strings.Repeat("0123456789abcdef", MaxSize/16)
	if _, err := k.Get(ctx, GatewayToken); !errors.Is(err, ErrMissing) {
		return fmt.Errorf("empty keychain: %w", err)
	}
	if err := k.Delete(ctx, GatewayToken); !errors.Is(err, ErrMissing) {
		return fmt.Errorf("delete of nothing: %w", err)
	}
	for _, value := range []string{"first", "replaced", long} {
		if err := k.Set(ctx, GatewayToken, value); err != nil {
			return fmt.Errorf("set: %w", err)
		}
		if got, err := NewKeychain().Get(ctx, GatewayToken); got != value || err != nil {
			return fmt.Errorf("got %.20q, want %.20q: %w", got, value, err)
		}
	}
	if err := k.Set(ctx, LocalKey, "key"); err != nil {
		return err
	}
	if err := k.Delete(ctx, GatewayToken); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if _, err := other.Get(ctx, GatewayToken); !errors.Is(err, ErrMissing) {
		return fmt.Errorf("after delete: %w", err)
	}
	if got, err := other.Get(ctx, LocalKey); got != "key" || err != nil {
		return fmt.Errorf("the other secret: %q, %w", got, err)
	}
	return nil
}

func checkLocked(ctx context.Context) error {
	stop, err := daemon(ctx, "test")
	if err != nil {
		return err
	}
	err = NewKeychain().Set(ctx, GatewayToken, "kept")
	stop()
	if err != nil {
		return err
	}
	stop, err = daemon(ctx, "") // the keyring is there, but nobody has unlocked it
	if err != nil {
		return err
	}
	defer stop()
	k := NewKeychain()
	if k.Ready(ctx) {
		return errors.New("a locked keychain is ready")
	}
	if v, err := k.Get(ctx, GatewayToken); v != "" || !errors.Is(err, ErrLocked) {
		return fmt.Errorf("get from a locked keychain: %q, %w", v, err)
	}
	if err := k.Set(ctx, GatewayToken, "new"); !errors.Is(err, ErrLocked) {
		return fmt.Errorf("set in a locked keychain: %w", err)
	}
	return nil
}

func checkNoService(ctx context.Context) error {
	k := NewKeychain()
	if k.Ready(ctx) {
		return errors.New("no keychain is ready")
	}
	if _, err := k.Get(ctx, GatewayToken); !errors.Is(err, ErrNoService) {
		return fmt.Errorf("get without a service: %w", err)
	}
	c := NewChain(os.Getenv, k)
	if err := c.Set(ctx, GatewayToken, "tok"); err != nil || c.Place(GatewayToken) != InMemory {
		return fmt.Errorf("set without a service: %w, place %s", err, c.Place(GatewayToken))
	}
	return nil
}

func TestNoBus(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "apex") // short, as above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, address := range []string{"", "autolaunch:", "disabled:"} {
		if err := busAt(address, dir); !errors.Is(err, ErrNoService) {
			t.Errorf("address %q: %v", address, err)
		}
	}
	if err := busAt("unix:path=/somewhere", dir); err != nil {
		t.Errorf("an address was given: %v", err)
	}
	ln, err := net.Listen("unix", filepath.Join(dir, "bus"))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if err := busAt("", dir); err != nil {
		t.Errorf("the user's bus is there: %v", err)
	}
}

func TestBusThatDoesNotAnswer(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+filepath.Join(t.TempDir(), "nothing"))
	if _, err := NewKeychain().Get(context.Background(), GatewayToken); !errors.Is(err, ErrNoService) {
		t.Errorf("got %v", err)
	}
}

func TestClassifyNames(t *testing.T) {
	for name, want := range map[string]error{
		"org.freedesktop.DBus.Error.ServiceUnknown":    ErrNoService,
		"org.freedesktop.DBus.Error.Spawn.ChildExited": ErrNoService,
		"org.freedesktop.DBus.Error.AccessDenied":      ErrDenied,
		"org.freedesktop.DBus.Error.NoReply":           ErrBusy,
		"org.freedesktop.Secret.Error.IsLocked":        ErrLocked,
		"org.freedesktop.Secret.Error.NoSuchObject":    nil,
	} {
		if got := classify(fmt.Errorf("wrapped: %w", dbus.Error{Name: name})); !errors.Is(got, want) {
			t.Errorf("%s: %v", name, got)
		}
	}
	if got := classify(errors.New("something else")); got != nil {
		t.Errorf("got %v", got)
	}
}
