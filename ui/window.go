package ui

import (
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"

	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// The window's size when it opens first.
const (
	windowWidth  = 1280
	windowHeight = 780
)

// page is one page of the window.
type page struct {
	name    string
	icon    fyne.ThemeIconName
	content fyne.CanvasObject
	focus   func() // called when the page is opened; nil when nothing needs the focus
}

// window is the program's window: a sidebar and the pages. It is made when it is first
// shown, because a program that only lives in the tray needs none.
type window struct {
	u    *UI
	win  fyne.Window
	side *sidebar
	body *fyne.Container

	overview *overview
	requests *requests
	models   *modelsPage
	clients  *clients
	settings *settingsPage
	guide    *guide
	pane     *fyne.Container // the sidebar and the pages, which the guide takes the place of

	pages   []page
	current int
	visible bool
	noted   bool        // it is to be remembered soon
	ending  *quitDialog // nil before it is shown
	unsaved *question   // nil while nothing is asked
	toast   *toast
	boxes   []*box            // above the page, the topmost last
	file    dialog.Dialog     // with files, nil while there is none
	filed   fyne.CanvasObject // where that is drawn
}

// The pages' places.
const (
	pageOverview = iota
	pageRequests
	pageModels
	pageClients
	pageSettings
)

// show opens the window, or raises it, unless the program is quitting.
func (u *UI) show() { u.showWith(func(*window) {}) }

// showWith does so, and then has it show something.
func (u *UI) showWith(then func(*window)) {
	if u.quitting {
		return
	}
	if u.window == nil {
		if u.parking.started.Load() && !u.opts.Drawable() {
			u.sayUndrawn()
			return
		}
		u.opts.Seen(true) // it takes work to build
		u.window = newWindow(u)
	}
	u.window.visible = true
	u.rest()
	u.window.refresh()
	u.window.win.Show()
	u.window.win.RequestFocus()
	u.askPort()
	then(u.window)
}

// tellUnused says that the program was started once more with flags, which have no effect.
func (w *window) tellUnused(flags []string) {
	w.inform(words.T("The program is already running"), newParagraph(
		words.F("It was started again with {{.Flags}}, which has no effect. Quit the program first, or change its settings here.",
			words.V{"Flags": "--" + strings.Join(flags, ", --")})), boxWidth)
}

func newWindow(u *UI) *window {
	w := &window{u: u, win: u.app.NewWindow(u.opts.Name)}
	w.build()
	w.win.SetPadded(false)
	w.recall()
	w.win.SetCloseIntercept(w.close)
	w.shortcuts()
	w.win.Canvas().SetOnTypedKey(w.typed)
	if presenter.NeedsGuide(u.settings) && len(u.core.Notices()) == 0 { // settings that cannot be read are no first start
		w.guide.show()
	}
	return w
}

// build makes the content in the language of now. When there was one before, the page,
// what is selected and what has been typed stay.
func (w *window) build() {
	old := *w
	w.overview = newOverview(w)
	w.requests = newRequests(w)
	w.models = newModelsPage(w)
	w.clients = newClients(w)
	w.settings = newSettingsPage(w)
	w.pages = []page{
		pageOverview: {name: words.T("Overview"), icon: theme.IconNameHome, content: w.overview.content},
		pageRequests: {name: words.T("Requests"), icon: theme.IconNameList, content: w.requests.content, focus: w.requests.focus},
		pageModels:   {name: words.T("Models"), icon: theme.IconNameGrid, content: w.models.content},
		pageClients:  {name: words.T("Clients"), icon: theme.IconNameComputer, content: w.clients.content, focus: w.clients.focus},
		pageSettings: {name: words.T("Settings"), icon: theme.IconNameSettings, content: w.settings.content, focus: w.settings.focusMissing},
	}
	w.side = newSidebar(w)
	w.body = container.NewStack()
	for _, p := range w.pages {
		w.body.Add(p.content)
	}
	w.turn(old.current)
	w.guide = newGuide(w)
	w.pane = container.New(notedLayout{note: w.note}, w.side.content, w.body)
	w.toast = newToast(w)
	w.win.SetContent(container.NewStack(w.pane, w.guide.content, w.toast.content))
	if old.settings != nil {
		w.overview.resume(old.overview)
		w.requests.resume(old.requests)
		w.models.resume(old.models)
		w.settings.resume(old.settings)
		w.guide.resume(old.guide)
		w.refresh()
	}
}

// open shows a page, with the cursor where it is needed first.
func (w *window) open(i int) {
	w.guide.hide()
	w.turn(i)
	if f := w.pages[i].focus; f != nil {
		f()
	}
}

// turn shows a page.
func (w *window) turn(i int) {
	if i != w.current {
		w.unfocus()
	}
	w.current = i
	for j, p := range w.pages {
		if j == i {
			p.content.Show()
		} else {
			p.content.Hide()
		}
	}
	w.body.Refresh()
	w.refresh()
	w.note()
}

// unfocus takes the cursor from what is about to be hidden, where keys would be typed
// unseen. Fyne leaves it there, also below a dialog, which gives it back when it closes.
func (w *window) unfocus() {
	cv := w.win.Canvas()
	above := slices.Clone(cv.Overlays().List())
	for _, o := range slices.Backward(above) {
		cv.Overlays().Remove(o)
	}
	cv.Unfocus()
	for _, o := range above {
		cv.Overlays().Add(o)
	}
}

// openSettings shows the settings with the cursor in a field.
func (w *window) openSettings(field string) {
	w.open(pageSettings)
	w.settings.focusField(field)
}

// search puts the cursor where the page is searched.
func (w *window) search() {
	if w.guide.shown {
		return
	}
	switch w.current {
	case pageRequests:
		w.requests.search()
	case pageClients:
		w.win.Canvas().Focus(w.clients.search)
	}
}

// openRequest shows a request in the list.
func (w *window) openRequest(id string) {
	if w.u.log.SelectID(id) {
		w.requests.follow = false
	}
	w.open(pageRequests)
	w.requests.reveal(w.u.log.Selected())
}

// refresh shows the state of now on everything that can be seen.
func (w *window) refresh() {
	if w.side == nil || !w.visible {
		return
	}
	w.side.refresh()
	w.guide.refresh()
	switch w.current {
	case pageOverview:
		w.overview.refresh()
	case pageRequests:
		w.requests.refresh()
	case pageModels:
		w.models.refresh()
	case pageClients:
		w.clients.refresh()
	case pageSettings:
		w.settings.refresh()
	}
}

// close hides the window while the tray can open it again and the user wants the program
// to keep running; otherwise it quits, because a program without window and icon could
// not be reached any more.
func (w *window) close() {
	if !w.u.settings.App.KeepRunning {
		w.u.quit()
		return
	}
	w.u.checkHost(func(hosted bool) {
		if !hosted {
			w.u.quit()
			return
		}
		w.hide()
	})
}

// hide closes the window until it is shown again.
func (w *window) hide() {
	if !w.visible {
		return
	}
	w.remember()
	w.visible = false
	w.win.Hide()
	w.u.rest()
	w.u.after(freeAfter, w.free)
}

// freeAfter is how long after the window was hidden its memory is given back.
const freeAfter = 5 * time.Second

// free gives the system what was needed to draw, unless the window is open again. The
// program may be in the tray for weeks, with no more to do than to pass requests on.
func (w *window) free() {
	if !w.visible {
		w.u.goes(debug.FreeOSMemory)
	}
}

// shortcuts are the window's keys. Text fields pass on what they do not use themselves.
func (w *window) shortcuts() {
	for _, s := range w.keys() {
		w.win.Canvas().AddShortcut(s.keys, func(fyne.Shortcut) { w.strike(s) })
	}
}

type shortcut struct {
	keys  fyne.KeyboardShortcut
	does  string
	do    func()
	above bool // also while a box or a menu is above the page
}

// strike does what keys are for, unless that would reach a page below something else.
func (w *window) strike(s shortcut) {
	if s.above || w.win.Canvas().Overlays().Top() == nil {
		s.do()
	}
}

// keys are the window's keys, as they are bound and as they are told.
func (w *window) keys() []shortcut {
	on := func(k fyne.KeyName, does string, do func()) shortcut {
		return shortcut{keys: &desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}, does: does, do: do}
	}
	var keys []shortcut
	for i := range w.pages {
		keys = append(keys, on(fyne.KeyName(strconv.Itoa(i+1)), words.T("Open a page"), func() { w.open(i) }))
	}
	quit := on(fyne.KeyQ, words.T("Quit the program"), w.u.quit)
	quit.above = true
	return append(keys,
		on(fyne.KeyComma, words.T("Open the settings"), func() { w.open(pageSettings) }),
		on(fyne.KeyF, words.T("Search the page"), w.search),
		shortcut{keys: &fyne.ShortcutCopy{}, does: words.T("Copy the request as cURL"), do: func() {
			if w.current == pageRequests && !w.guide.shown {
				w.requests.copy()
			}
		}},
		on(fyne.KeySlash, words.T("Show this list"), w.showKeys),
		on(fyne.KeyW, words.T("Close the window"), w.close),
		quit,
	)
}

// pass hands a shortcut that a text field got to the window.
func (w *window) pass(s fyne.Shortcut) {
	for _, k := range w.keys() {
		if k.keys.ShortcutName() == s.ShortcutName() {
			w.strike(k)
		}
	}
}
