// Package linux holds what the packages for Linux are made of. Only the tests of its scripts
// are Go.
package linux

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// unpacked is the folder that the archive becomes, with a program in it that is none.
func unpacked(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{
		"files/bin/apex-ai-proxy":                "#!/bin/sh\n",
		"files/share/applications/app.desktop":   "Exec=apex-ai-proxy\nTryExec=apex-ai-proxy\n",
		"files/share/apex-ai-proxy/files":        "bin/apex-ai-proxy\nshare/applications/app.desktop\nshare/apex-ai-proxy/uninstall.sh\nshare/apex-ai-proxy/files\n",
		"files/share/apex-ai-proxy/uninstall.sh": script(t, "uninstall.sh"),
		"install.sh":                             script(t, "install.sh"),
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 { // as it is for somebody who unpacks it, and installs it with sudo
			if err := os.Chown(path, 1000, 1000); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

func script(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "@ID@", "app")
}

// run runs a script with a home of its own, and with a shell that looks for folders elsewhere.
func run(t *testing.T, home, path string, args ...string) {
	t.Helper()
	cmd := exec.Command("sh", append([]string{path}, args...)...)
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "CDPATH=" + filepath.Join(home, "other")}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(path), err, out)
	}
}

// programs are the files below dir.
func programs(t *testing.T, dir string) (out []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, strings.TrimPrefix(path, dir+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestInstallAndUninstall: what is installed belongs to who installs it, starts from where it is,
// and is removed with its login item, and with nothing else; also in a folder behind a link, with
// a name that shells read differently.
func TestInstallAndUninstall(t *testing.T) {
	home, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const real, link = "o'brien's programs", "opt"
	for _, dir := range []string{real + "/bin", "other/" + link, ".config/autostart"} {
		if err := os.MkdirAll(filepath.Join(home, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	kept := filepath.Join(home, real, "bin/theirs")
	if err := os.WriteFile(kept, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, filepath.Join(home, link)); err != nil {
		t.Fatal(err)
	}
	prefix := filepath.Join(home, real)

	installer := filepath.Join(unpacked(t), "install.sh")
	run(t, home, installer, "--help")
	if made := programs(t, home); len(made) != 2 { // a file of others, and the link
		t.Errorf("asked for help, it made %q", made)
	}
	run(t, home, installer, link)
	info, err := os.Stat(filepath.Join(prefix, "bin/apex-ai-proxy"))
	if err != nil {
		t.Fatal(err)
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Getuid() || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("the program is of user %d, mode %v", owner, info.Mode())
	}
	entry, err := os.ReadFile(filepath.Join(prefix, "share/applications/app.desktop"))
	if want := "Exec=\"" + home + "/" + link + "/bin/apex-ai-proxy\"\n"; err != nil || !strings.HasPrefix(string(entry), want) {
		t.Errorf("the entry is %q, %v; want %q", entry, err, want)
	}

	login := filepath.Join(home, ".config/autostart/app.desktop")
	if err := os.WriteFile(login, []byte("Exec=\""+prefix+"/bin/apex-ai-proxy\" --background\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Desktops without their tools do not make these.
	for _, cache := range []string{"share/applications/mimeinfo.cache", "share/icons/hicolor/icon-theme.cache"} {
		path := filepath.Join(prefix, cache)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run(t, home, filepath.Join(link, "share/apex-ai-proxy/uninstall.sh"))
	if _, err := os.Stat(login); err == nil {
		t.Error("the login item stays")
	}
	if left := programs(t, prefix); !slices.Equal(left, []string{"bin/theirs"}) {
		t.Errorf("left: %q", left)
	}
}
