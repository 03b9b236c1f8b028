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
	"fyne.io/fyne/v2/theme"
)

// fixedTheme is the program's theme in one variant.
type fixedTheme struct {
	Theme
	variant fyne.ThemeVariant
}

// TestPagesRender draws every page in its states, in light and dark and in several sizes.
// With APEX_SCREENSHOTS=DIR the pictures are kept there.
func TestPagesRender(t *testing.T) {
	sizes := map[string]fyne.Size{"small": size(760, 520), "usual": size(windowWidth, windowHeight), "large": size(1400, 900)}
	scenes := map[string]func(*testing.T) *stage{
		"overview-first": sceneFirst, "overview-ready": sceneReady, "overview-failed": sceneFailed, "overview-busy": sceneBusy,
		"requests-empty": sceneNoRequests, "requests-full": sceneRequests, "requests-detail": sceneDetail,
		"inspector-summary": sceneInspector(tabSummary), "inspector-request": sceneInspector(tabRequest), "inspector-answer": sceneInspector(tabAnswer),
		"clients": sceneClients, "clients-cursor": sceneClient("cursor", 0), "clients-sdk": sceneClient("openai-sdk", 2),
		"clients-stopped": sceneClientsStopped, "clients-chinese": sceneClientsChinese,
		"settings": sceneSettings, "settings-wrong": sceneWrong, "settings-end": sceneSettingsEnd,
	}
	for name, scene := range scenes {
		t.Run(name, func(t *testing.T) {
			s := scene(t)
			for sizeName, sz := range sizes {
				for _, v := range []fyne.ThemeVariant{theme.VariantLight, theme.VariantDark} {
					img := s.picture(v, sz)
					if sz.Width != float32(img.Bounds().Dx()) || sz.Height != float32(img.Bounds().Dy()) {
						t.Errorf("%s does not fit into %v: it became %v", name, sz, img.Bounds())
					}
					if n := colors(img); n < 8 {
						t.Errorf("%s %s: %d colours, the page is not drawn", name, sizeName, n)
					}
					keep(t, fmt.Sprintf("%s-%s-%s", name, sizeName, variantName(v)), img)
				}
			}
		})
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
