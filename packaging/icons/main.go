// Command icons draws the program's icon for the packages of each system: PNG files in the
// sizes that Linux looks for, icon.ico for Windows, icon.icns for macOS.
//
//	go run ./packaging/icons DIR
package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

const drawing = "assets/icons/app.svg"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: icons DIR")
		os.Exit(2)
	}
	if err := draw(drawing, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "icons:", err)
		os.Exit(1)
	}
}

// Pixels of the icon's side on each system.
var (
	linuxSizes   = []int{16, 22, 24, 32, 48, 64, 128, 256, 512}
	windowsSizes = []int{16, 20, 24, 32, 40, 48, 64, 256}
	// The names are those of the format. Some sizes come twice: in the second half they are half as many points on a fine screen.
	macSizes = []struct {
		name string
		size int
	}{{"icp4", 16}, {"icp5", 32}, {"ic07", 128}, {"ic08", 256}, {"ic09", 512}, {"ic10", 1024}, {"ic11", 32}, {"ic12", 64}, {"ic13", 256}, {"ic14", 512}}
)

// draw writes the icon of an SVG file into a folder.
func draw(svg, dir string) error {
	text, err := os.ReadFile(svg)
	if err != nil {
		return err
	}
	drawn := map[int][]byte{}
	at := func(size int) []byte {
		if drawn[size] == nil && err == nil {
			drawn[size], err = rendered(text, size)
		}
		return drawn[size]
	}
	files := map[string][]byte{"icon.ico": ico(at), "icon.icns": icns(at)}
	for _, size := range linuxSizes {
		files[fmt.Sprintf("%d.png", size)] = at(size)
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// rendered is a PNG file of a drawing.
func rendered(svg []byte, size int) ([]byte, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg))
	if err != nil {
		return nil, fmt.Errorf("read the drawing: %w", err)
	}
	icon.SetTarget(0, 0, float64(size), float64(size))
	img := image.NewRGBA(image.Rect(0, 0, size, size))
	icon.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, img, img.Bounds())), 1)
	var b bytes.Buffer
	err = png.Encode(&b, img)
	return b.Bytes(), err
}

// ico is an icon file of Windows, which since Vista may hold PNG files.
func ico(at func(size int) []byte) []byte {
	const head, entry = 6, 16
	type direntry struct {
		Width, Height, Colours, Zero uint8
		Planes, Bits                 uint16
		Size, Offset                 uint32
	}
	var b, pictures bytes.Buffer
	write(&b, binary.LittleEndian, []uint16{0, 1, uint16(len(windowsSizes))})
	for _, size := range windowsSizes {
		p := at(size)
		write(&b, binary.LittleEndian, direntry{
			Width: uint8(size), Height: uint8(size), // 256 is written as 0
			Planes: 1, Bits: 32,
			Size: uint32(len(p)), Offset: uint32(head + entry*len(windowsSizes) + pictures.Len()),
		})
		pictures.Write(p)
	}
	return append(b.Bytes(), pictures.Bytes()...)
}

// icns is an icon file of macOS.
func icns(at func(size int) []byte) []byte {
	const head = 8
	var b bytes.Buffer
	chunk := func(name string, content []byte) {
		b.WriteString(name)
		write(&b, binary.BigEndian, uint32(head+len(content)))
		b.Write(content)
	}
	for _, s := range macSizes {
		chunk(s.name, at(s.size))
	}
	all := bytes.Clone(b.Bytes())
	b.Reset()
	chunk("icns", all)
	return b.Bytes()
}

// write writes numbers, which to a buffer cannot fail.
func write(b *bytes.Buffer, order binary.ByteOrder, v any) { _ = binary.Write(b, order, v) }
