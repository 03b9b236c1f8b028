package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestDraw reads the files as the systems do, and looks whether each picture has its size.
func TestDraw(t *testing.T) {
	dir := t.TempDir()
	if err := draw(filepath.Join("..", "..", drawing), dir); err != nil {
		t.Fatal(err)
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	is := func(what string, b []byte, size int) {
		t.Helper()
		c, err := png.DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != size || c.Height != size {
			t.Errorf("%s: %d x %d, %v; want %d", what, c.Width, c.Height, err, size)
		}
	}
	for _, size := range linuxSizes {
		name := fmt.Sprintf("%d.png", size)
		is(name, read(name), size)
	}

	ico := read("icon.ico")
	if n := int(binary.LittleEndian.Uint16(ico[4:])); n != len(windowsSizes) {
		t.Fatalf("icon.ico has %d pictures", n)
	}
	for i, size := range windowsSizes {
		e := ico[6+16*i:]
		from, n := binary.LittleEndian.Uint32(e[12:]), binary.LittleEndian.Uint32(e[8:])
		if int(e[0]) != size%256 {
			t.Errorf("icon.ico: picture %d says it is %d wide", i, e[0])
		}
		is(fmt.Sprintf("icon.ico %d", size), ico[from:from+n], size)
	}

	icns := read("icon.icns")
	if string(icns[:4]) != "icns" || int(binary.BigEndian.Uint32(icns[4:])) != len(icns) {
		t.Fatalf("icon.icns begins with %q", icns[:8])
	}
	rest := icns[8:]
	for _, s := range macSizes {
		n := binary.BigEndian.Uint32(rest[4:])
		if string(rest[:4]) != s.name {
			t.Errorf("icon.icns: %q, want %q", rest[:4], s.name)
		}
		is("icon.icns "+s.name, rest[8:n], s.size)
		rest = rest[n:]
	}
	if len(rest) > 0 {
		t.Errorf("icon.icns: %d bytes too many", len(rest))
	}
}

func TestDrawFails(t *testing.T) {
	if err := draw(filepath.Join(t.TempDir(), "none.svg"), t.TempDir()); err == nil {
		t.Error("a drawing that is not there is drawn")
	}
}
