package ui

import (
	"runtime"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"apex-ai-proxy/ui/words"
)

const (
	keysWidth  = 640 // of the box that lists the keys
	keysColumn = 112 // of the keys in it
)

// keyHelp is what a key does, for the list of keys. It is made of what the keys are bound with.
type keyHelp struct {
	key  string
	does string
}

// keyNames are the keys that are not called as Fyne calls them.
var keyNames = map[fyne.KeyName]string{
	fyne.KeyUp: "↑", fyne.KeyDown: "↓", fyne.KeyLeft: "←", fyne.KeyRight: "→", fyne.KeyPageUp: "PgUp", fyne.KeyPageDown: "PgDn",
	fyne.KeyReturn: "Enter", fyne.KeyEnter: "Enter", fyne.KeyEscape: "Esc",
}

// keyText is a key as keyboards name it.
func keyText(k fyne.KeyName, mod fyne.KeyModifier) string {
	name, ok := keyNames[k]
	if !ok {
		name = string(k)
	}
	switch {
	case mod == 0:
		return name
	case mod == fyne.KeyModifierShift && runtime.GOOS == "darwin":
		return "⇧" + name
	case mod == fyne.KeyModifierShift:
		return "Shift+" + name
	case runtime.GOOS == "darwin":
		return "⌘" + name
	default:
		return "Ctrl+" + name
	}
}

// together puts what does the same into one line, in the order given.
func together(all []keyHelp) (out []keyHelp) {
	for i := 0; i < len(all); {
		end := i + 1
		for end < len(all) && all[end].does == all[i].does {
			end++
		}
		var keys []string
		for _, k := range all[i:end] {
			if !slices.Contains(keys, k.key) {
				keys = append(keys, k.key)
			}
		}
		text := strings.Join(keys, " / ")
		if len([]rune(keys[0])) == 1 { // arrows, whose face may have no other signs
			text = strings.Join(keys, "")
		}
		if len(keys) > 2 {
			text = keys[0] + " … " + keys[len(keys)-1]
		}
		out = append(out, keyHelp{text, all[i].does})
		i = end
	}
	return out
}

// showKeys lists the keys that do something.
func (w *window) showKeys() {
	var all, list []keyHelp
	for _, s := range w.keys() {
		all = append(all, keyHelp{keyText(s.keys.Key(), s.keys.Mod()), s.does})
	}
	for _, k := range w.requests.list.keys() {
		list = append(list, keyHelp{keyText(k.key, 0), k.does})
	}
	column := func(title string, rows []keyHelp) fyne.CanvasObject {
		c := stack(gapTight, newLine(title, faceStrong))
		for _, k := range together(rows) {
			c.Add(container.NewBorder(nil, nil, sized(keysColumn, middle(newLine(k.key, faceMuted))), nil, middle(newCutLine(k.does, faceText, 40))))
		}
		return c
	}
	lines := lineKeys()
	half := len(lines) / 2
	w.inform(words.T("Keyboard shortcuts"), stack(gapWide,
		container.NewGridWithColumns(2, column(words.T("Everywhere"), all), column(words.T("In the list of requests"), list)),
		container.NewGridWithColumns(2, column(words.T("In headers and bodies"), lines[:half]), column("", lines[half:]))), keysWidth)
}
