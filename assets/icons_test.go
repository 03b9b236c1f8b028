package assets

import (
	"bytes"
	"flag"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

var update = flag.Bool("update", false, "render the PNG files again from the SVG files")

func TestPNGShowsSVG(t *testing.T) {
	for name, size := range map[string]int{"icon.png": 512, "icon-256.png": 256} {
		t.Run(name, func(t *testing.T) {
			want := render(t, "icons/app.svg", size)
			if *update {
				write(t, name, want)
			}
			got := read(t, name)
			if got.Bounds() != want.Bounds() {
				t.Fatalf("size is %v, want %v", got.Bounds(), want.Bounds())
			}
			if n := differing(got, want); n > 0 {
				t.Errorf("%d pixels differ from icons/app.svg; render it with go test ./assets -update", n)
			}
		})
	}
}

// A tray icon is read at 16 pixels, on light and on dark panels, so each must keep enough
// ink and enough contrast there, and no two may look alike.
func TestTrayIconsAreReadable(t *testing.T) {
	files := []string{"stopped", "running", "attention", "busy"}
	var icons []image.Image
	for _, name := range files {
		img := render(t, "icons/tray-"+name+".svg", 16)
		icons = append(icons, img)
		for panel, ground := range map[string]color.Gray{"light": {Y: 0xF2}, "dark": {Y: 0x1C}} {
			if n := inked(img, ground); n < 40 {
				t.Errorf("%s on a %s panel: %d pixels stand out, want 40", name, panel, n)
			}
		}
	}
	for i := range icons {
		for j := range i {
			if n := shapeDiffers(icons[i], icons[j]); n < 12 {
				t.Errorf("%s and %s differ in %d pixels of shape, want 12", files[i], files[j], n)
			}
		}
	}
}

func render(t *testing.T, name string, size int) image.Image {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("read %s: %v", name, err)
	}
	icon.SetTarget(0, 0, float64(size), float64(size))
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	dst := image.NewRGBA(img.Bounds())
	icon.Draw(rasterx.NewDasher(size, size, rasterx.NewScannerGV(size, size, dst, dst.Bounds())), 1)
	for y := range size {
		for x := range size {
			img.Set(x, y, dst.At(x, y))
		}
	}
	return img
}

func write(t *testing.T, name string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) image.Image {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("decode %s: %v", name, err)
	}
	return img
}

// differing counts the pixels that differ by more than rounding.
func differing(a, b image.Image) (n int) {
	each(a, func(x, y int) {
		r1, g1, b1, a1 := a.At(x, y).RGBA()
		r2, g2, b2, a2 := b.At(x, y).RGBA()
		if apart(r1, r2) || apart(g1, g2) || apart(b1, b2) || apart(a1, a2) {
			n++
		}
	})
	return n
}

func apart(a, b uint32) bool { return max(a, b)-min(a, b) > 0x0500 }

// inked counts the pixels whose luminance stands out from the panel's.
func inked(img image.Image, ground color.Gray) (n int) {
	each(img, func(x, y int) {
		r, g, b, a := img.At(x, y).RGBA()
		rest := (0xFFFF - a) * uint32(ground.Y) / 0xFF
		lum := (299*(r+rest) + 587*(g+rest) + 114*(b+rest)) / 1000
		if max(lum>>8, uint32(ground.Y))-min(lum>>8, uint32(ground.Y)) > 0x40 {
			n++
		}
	})
	return n
}

// shapeDiffers counts the pixels that one icon covers and the other does not.
func shapeDiffers(a, b image.Image) (n int) {
	each(a, func(x, y int) {
		_, _, _, a1 := a.At(x, y).RGBA()
		_, _, _, a2 := b.At(x, y).RGBA()
		if (a1 > 0x8000) != (a2 > 0x8000) {
			n++
		}
	})
	return n
}

func each(img image.Image, f func(x, y int)) {
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			f(x, y)
		}
	}
}
