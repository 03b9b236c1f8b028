package ui

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/ui/words"
)

// fixedTheme is the program's theme in one variant.
type fixedTheme struct {
	Theme
	variant fyne.ThemeVariant
}

// TestPagesRender draws every page in its states, in every language, in light and dark and
// in several sizes. With APEX_SCREENSHOTS=DIR the pictures are kept there; otherwise other
// languages than English are only drawn where there is the least room.
func TestPagesRender(t *testing.T) {
	for _, l := range words.Languages {
		speaking(t, l.Tag)
		for name, scene := range scenes {
			t.Run(l.Tag+"/"+name, func(t *testing.T) { render(t, l.Tag, name, scene(t)) })
		}
	}
}

var pictureSizes = map[string]fyne.Size{
	"small": size(760, 520), "usual": size(windowWidth, windowHeight), "large": size(1400, 900),
}

func render(t *testing.T, tag, name string, s *stage) {
	for sizeName, sz := range pictureSizes {
		if tag != "en" && sizeName != "small" && os.Getenv("APEX_SCREENSHOTS") == "" {
			continue
		}
		for _, v := range []fyne.ThemeVariant{theme.VariantLight, theme.VariantDark} {
			img := s.picture(v, sz)
			if sz.Width != float32(img.Bounds().Dx()) || sz.Height != float32(img.Bounds().Dy()) {
				t.Errorf("%s does not fit into %v: it became %v", name, sz, img.Bounds())
			}
			if n := colors(img); n < 8 {
				t.Errorf("%s %s: %d colours, the page is not drawn", name, sizeName, n)
			}
			keep(t, fmt.Sprintf("%s-%s-%s-%s", name, sizeName, variantName(v), tag), img)
		}
	}
}

// TestPagesRenderOnFineScreens draws pages as screens with more pixels show them.
func TestPagesRenderOnFineScreens(t *testing.T) {
	for _, name := range []string{"overview-busy", "requests-detail"} {
		for _, scale := range []float32{1.25, 1.5, 2} {
			t.Run(fmt.Sprint(name, "/", scale), func(t *testing.T) {
				s, sz := scenes[name](t), pictureSizes["small"]
				s.window.win.Canvas().(software.WindowlessCanvas).SetScale(scale)
				for _, v := range []fyne.ThemeVariant{theme.VariantLight, theme.VariantDark} {
					img := s.picture(v, sz)
					if b := img.Bounds(); float32(b.Dx()) != sz.Width*scale || float32(b.Dy()) != sz.Height*scale {
						t.Errorf("%v at %v became %v", sz, scale, b)
					}
					keep(t, fmt.Sprintf("%s-%v-%s", name, scale, variantName(v)), img)
				}
			})
		}
	}
}

// Color implements fyne.Theme.
func (f fixedTheme) Color(name fyne.ThemeColorName, _ fyne.ThemeVariant) color.Color {
	return f.Theme.Color(name, f.variant)
}

func variantName(v fyne.ThemeVariant) string {
	if v == theme.VariantDark {
		return "dark"
	}
	return "light"
}

func (s *stage) picture(v fyne.ThemeVariant, sz fyne.Size) image.Image {
	fyne.CurrentApp().Settings().SetTheme(fixedTheme{variant: v})
	s.window.win.Resize(sz)
	s.window.refresh()
	s.window.win.Content().Refresh() // wrapped texts know their height once they have a width
	return s.window.win.Canvas().Capture()
}

func colors(img image.Image) int {
	seen := map[[3]uint32]bool{}
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y += 2 {
		for x := b.Min.X; x < b.Max.X; x += 2 {
			r, g, bl, _ := img.At(x, y).RGBA()
			seen[[3]uint32{r, g, bl}] = true
		}
	}
	return len(seen)
}

func keep(t *testing.T, name string, img image.Image) {
	t.Helper()
	dir := os.Getenv("APEX_SCREENSHOTS")
	if dir == "" {
		return
	}
	f, err := os.Create(filepath.Join(dir, name+".png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
