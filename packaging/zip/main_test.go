package main

import (
	"archive/zip"
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestPack packs the same files twice, written at different times.
func TestPack(t *testing.T) {
	var archives [2][]byte
	for i := range archives {
		dir := filepath.Join(t.TempDir(), "program")
		for name, text := range map[string]string{"b.txt": "two", "a/c.txt": "one"} {
			p := filepath.Join(dir, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			then := time.Unix(int64(1e9*(i+1)), 0)
			if err := os.Chtimes(p, then, then); err != nil {
				t.Fatal(err)
			}
		}
		out := filepath.Join(t.TempDir(), "out.zip")
		if err := pack(dir, out, "1700000000"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		archives[i] = b
	}
	if !bytes.Equal(archives[0], archives[1]) {
		t.Error("the archives differ")
	}
	r, err := zip.NewReader(bytes.NewReader(archives[0]), int64(len(archives[0])))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.File) != 2 || r.File[0].Name != "program/a/c.txt" || r.File[1].Name != "program/b.txt" || r.File[1].Modified.Unix() != 1700000000 {
		t.Errorf("%+v", r.File)
	}
}

func TestPackFails(t *testing.T) {
	for name, c := range map[string][2]string{"no folder": {"none", "1"}, "no time": {".", ""}} {
		if err := pack(c[0], filepath.Join(t.TempDir(), "out.zip"), c[1]); err == nil {
			t.Errorf("%s: packed", name)
		}
	}
}
