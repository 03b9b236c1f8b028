package ui

import (
	"encoding/binary"
	"slices"
	"sync"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
)

// The height of a line in the fixed-width face, in thousandths of the size of its letters: no
// less than the fonts of Chinese, Japanese, Korean and of emoji need, and with the letters as
// far below the middle as those of the proportional face.
const (
	monoAscent  = 1170
	monoDescent = 390
)

// monospace is Fyne's fixed-width font with lines as high as those of other scripts. Fyne
// measures a line by its first font alone and then draws it as low as the highest of all
// fonts in it, so that what hangs below would be cut off where a line holds Chinese.
var monospace = sync.OnceValue(func() fyne.Resource {
	r := theme.DefaultTheme().Font(fyne.TextStyle{Monospace: true})
	return fyne.NewStaticResource("high-"+r.Name(), heightened(r.Content(), monoAscent, monoDescent))
})

// heightened is an OpenType font with other heights above and below its base line, in
// thousandths of its size. A font that cannot be read stays as it is.
func heightened(font []byte, ascent, descent int) []byte {
	head, lines, system := table(font, "head", 20), table(font, "hhea", 10), table(font, "OS/2", 78)
	if head < 0 || lines < 0 || system < 0 {
		return font
	}
	out := slices.Clone(font)
	units := int(binary.BigEndian.Uint16(font[head+18:]))
	up, down := units*ascent/1000, units*descent/1000
	set := func(at, v int) { binary.BigEndian.PutUint16(out[at:], uint16(v)) }
	for _, at := range []int{lines + 4, system + 68} { // ascender, descender, and the gap between lines
		set(at, up)
		set(at+2, -down)
		set(at+4, 0)
	}
	set(system+74, up) // the same for Windows, where what is below counts upwards
	set(system+76, down)
	return out
}

// table is where a table of an OpenType font begins, which has at least some bytes, -1 when
// there is none.
func table(font []byte, name string, least int) int {
	if len(font) < 12 {
		return -1
	}
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		entry := 12 + 16*i
		if entry+16 > len(font) {
			break
		}
		if at := int(binary.BigEndian.Uint32(font[entry+8:])); string(font[entry:entry+4]) == name && at+least <= len(font) {
			return at
		}
	}
	return -1
}
