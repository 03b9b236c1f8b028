package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
)

// One spacing scale, in steps of 4 and mostly of 8.
const (
	gapTight  = 4
	gap       = 8
	gapWide   = 16
	gapBlock  = 24
	gapMargin = 32
)

// Three text sizes: data and notes, text, headlines.
const (
	sizeNote     = theme.SizeNameCaptionText
	sizeText     = theme.SizeNameText
	sizeHeadline = theme.SizeNameHeadingText
)

// Colours that Fyne has no name for.
const (
	colorSidebar   fyne.ThemeColorName = "apex.sidebar"
	colorMuted     fyne.ThemeColorName = "apex.muted"
	colorWell      fyne.ThemeColorName = "apex.well"
	colorHighlight fyne.ThemeColorName = "apex.highlight"
	colorAlarm     fyne.ThemeColorName = "apex.alarm"
)

// Theme is the look of the program: neutral greys with one accent, and green, amber and
// red for states only. It follows the system's choice of light or dark unless the user has
// chosen.
type Theme struct{ Choice settings.Theme }

type palette map[fyne.ThemeColorName]color.NRGBA

// Color is the colour for a name.
func (t Theme) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	switch t.Choice {
	case settings.ThemeLight:
		v = theme.VariantLight
	case settings.ThemeDark:
		v = theme.VariantDark
	case settings.ThemeSystem:
	}
	p := light
	if v == theme.VariantDark {
		p = dark
	}
	if c, ok := p[name]; ok {
		return c
	}
	return theme.DefaultTheme().Color(name, v)
}

// Font is the font for a style.
func (Theme) Font(s fyne.TextStyle) fyne.Resource {
	if s.Monospace {
		return monospace()
	}
	return theme.DefaultTheme().Font(s)
}

// Icon is the icon for a name.
func (Theme) Icon(n fyne.ThemeIconName) fyne.Resource { return theme.DefaultTheme().Icon(n) }

// Size is the size for a name.
func (Theme) Size(name fyne.ThemeSizeName) float32 {
	if s, ok := sizes[name]; ok {
		return s
	}
	return theme.DefaultTheme().Size(name)
}

var sizes = map[fyne.ThemeSizeName]float32{
	theme.SizeNameCaptionText:     12,
	theme.SizeNameText:            14,
	theme.SizeNameSubHeadingText:  14,
	theme.SizeNameHeadingText:     22,
	theme.SizeNamePadding:         4,
	theme.SizeNameInnerPadding:    8,
	theme.SizeNameInlineIcon:      18,
	theme.SizeNameInputRadius:     6,
	theme.SizeNameButtonRadius:    6,
	theme.SizeNameSelectionRadius: 4,
	theme.SizeNameScrollBar:       10,
	theme.SizeNameScrollBarSmall:  4,
}

func hex(v uint32) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: 0xFF}
}

func veil(v uint32, a uint8) color.NRGBA {
	c := hex(v)
	c.A = a
	return c
}

var light = palette{
	theme.ColorNameBackground:          hex(0xFCFCFD),
	colorSidebar:                       hex(0xF1F2F5),
	colorWell:                          hex(0xF3F4F7),
	colorHighlight:                     hex(0xE3E7F2),
	colorAlarm:                         hex(0xFADFDD),
	theme.ColorNameForeground:          hex(0x1A1E27),
	colorMuted:                         hex(0x5F6775),
	theme.ColorNamePlaceHolder:         hex(0x858C99),
	theme.ColorNameDisabled:            hex(0x8A909C),
	theme.ColorNameSeparator:           hex(0xE1E4EA),
	theme.ColorNameButton:              hex(0xE9EBF0),
	theme.ColorNameDisabledButton:      hex(0xF0F1F4),
	theme.ColorNameInputBackground:     hex(0xF5F6F8),
	theme.ColorNameInputBorder:         hex(0xC7CCD6),
	theme.ColorNameHover:               veil(0x1A1E27, 0x0D),
	theme.ColorNamePressed:             veil(0x1A1E27, 0x1F),
	theme.ColorNameSelection:           veil(0x2F5FDE, 0x24),
	theme.ColorNameFocus:               veil(0x2F5FDE, 0x5A),
	theme.ColorNamePrimary:             hex(0x2F5FDE),
	theme.ColorNameHyperlink:           hex(0x2F5FDE),
	theme.ColorNameForegroundOnPrimary: hex(0xFFFFFF),
	theme.ColorNameSuccess:             hex(0x1B7F4D),
	theme.ColorNameWarning:             hex(0x9A5B00),
	theme.ColorNameError:               hex(0xC22F2A),
	theme.ColorNameMenuBackground:      hex(0xFFFFFF),
	theme.ColorNameOverlayBackground:   hex(0xFFFFFF),
	theme.ColorNameScrollBar:           veil(0x1A1E27, 0x55),
	theme.ColorNameShadow:              veil(0x000000, 0x22),
	theme.ColorNameHeaderBackground:    hex(0xF3F4F7),
}

var dark = palette{
	theme.ColorNameBackground:          hex(0x15181E),
	colorSidebar:                       hex(0x1B1F27),
	colorWell:                          hex(0x1C2028),
	colorHighlight:                     hex(0x2A3245),
	colorAlarm:                         hex(0x4A2428),
	theme.ColorNameForeground:          hex(0xE6E8ED),
	colorMuted:                         hex(0x9BA3B1),
	theme.ColorNamePlaceHolder:         hex(0x747C8A),
	theme.ColorNameDisabled:            hex(0x6F7786),
	theme.ColorNameSeparator:           hex(0x2B303A),
	theme.ColorNameButton:              hex(0x2A2F3A),
	theme.ColorNameDisabledButton:      hex(0x21252D),
	theme.ColorNameInputBackground:     hex(0x1C2028),
	theme.ColorNameInputBorder:         hex(0x434A58),
	theme.ColorNameHover:               veil(0xFFFFFF, 0x0D),
	theme.ColorNamePressed:             veil(0xFFFFFF, 0x1F),
	theme.ColorNameSelection:           veil(0x7EA2FF, 0x30),
	theme.ColorNameFocus:               veil(0x7EA2FF, 0x66),
	theme.ColorNamePrimary:             hex(0x7EA2FF),
	theme.ColorNameHyperlink:           hex(0x7EA2FF),
	theme.ColorNameForegroundOnPrimary: hex(0x10141C),
	theme.ColorNameSuccess:             hex(0x4FC38B),
	theme.ColorNameWarning:             hex(0xE2A53F),
	theme.ColorNameError:               hex(0xFF7D75),
	theme.ColorNameMenuBackground:      hex(0x21252E),
	theme.ColorNameOverlayBackground:   hex(0x1B1F27),
	theme.ColorNameScrollBar:           veil(0xFFFFFF, 0x55),
	theme.ColorNameShadow:              veil(0x000000, 0x66),
	theme.ColorNameHeaderBackground:    hex(0x1C2028),
}

// toneColor is the colour of a tone. It always stands beside a word or a shape.
func toneColor(t presenter.Tone) fyne.ThemeColorName {
	switch t {
	case presenter.ToneGood:
		return theme.ColorNameSuccess
	case presenter.ToneBusy:
		return theme.ColorNamePrimary
	case presenter.ToneWarn:
		return theme.ColorNameWarning
	case presenter.ToneBad:
		return theme.ColorNameError
	default:
		return colorMuted
	}
}

// part is the theme of the application with other spacing, for a part of a page. What is
// below zero stays as it is.
type part struct {
	padding float32 // between the rows of a list
	inner   float32 // around the text of a label
}

// Color implements fyne.Theme. Rows are cut where a list ends, not shaded.
func (part) Color(name fyne.ThemeColorName, v fyne.ThemeVariant) color.Color {
	if name == theme.ColorNameShadow {
		return color.Transparent
	}
	return fyne.CurrentApp().Settings().Theme().Color(name, v)
}

// Font implements fyne.Theme.
func (part) Font(s fyne.TextStyle) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Font(s)
}

// Icon implements fyne.Theme.
func (part) Icon(n fyne.ThemeIconName) fyne.Resource {
	return fyne.CurrentApp().Settings().Theme().Icon(n)
}

// Size implements fyne.Theme.
func (p part) Size(name fyne.ThemeSizeName) float32 {
	switch {
	case name == theme.SizeNamePadding && p.padding >= 0:
		return p.padding
	case name == theme.SizeNameInnerPadding && p.inner >= 0:
		return p.inner
	default:
		return fyne.CurrentApp().Settings().Theme().Size(name)
	}
}
