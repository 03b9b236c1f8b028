package ui

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/presenter"
	"apex-ai-proxy/ui/words"
)

// providerKeys chooses per provider where its key comes from, and stores the user's own
// keys.
type providerKeys struct {
	p       *settingsPage
	content *fyne.Container
	rows    []*providerKey
}

// providerKey is one provider.
type providerKey struct {
	p       *settingsPage
	name    string
	choose  *selection
	hint    *paragraph
	secret  *secretField
	state   presenter.SecretState
	looks   int
	checked bool // the keychain was asked since the mode was chosen
}

func newProviderKeys(p *settingsPage) *providerKeys {
	k := &providerKeys{p: p}
	intro := newParagraph(words.T("A provider's key is normally stored at Cloudflare. Choose otherwise where that is not so.")).note()
	k.content = stack(gap, intro)
	for _, name := range p.form.Providers() {
		r := newProviderKey(p, name)
		k.rows = append(k.rows, r)
		k.content.Add(formRow(name, stack(gapTight, sized(choiceWidth, r.choose), padded(0, 0, 2, 0, r.hint), r.secret.content)))
	}
	return k
}

func newProviderKey(p *settingsPage, name string) *providerKey {
	r := &providerKey{p: p, name: name, hint: newParagraph("").note()}
	r.secret = newSecretField(p.w, presenter.ProviderKey(name), words.T("Paste the key here"), r.look)
	options := make([]string, len(presenter.KeyModes))
	for i, m := range presenter.KeyModes {
		options[i] = presenter.KeyModeText(m)
	}
	r.choose = newSelection(options, nil)
	r.choose.SetSelected(presenter.KeyModeText(p.form.Mode(name)))
	r.choose.OnChanged = r.chosen
	return r
}

func (r *providerKey) chosen(text string) {
	i := slices.IndexFunc(presenter.KeyModes, func(m settings.KeyMode) bool { return presenter.KeyModeText(m) == text })
	if i >= 0 && presenter.KeyModes[i] != r.p.form.Mode(r.name) {
		r.p.form.SetMode(r.name, presenter.KeyModes[i])
		r.p.changed()
	}
}

// look asks the keychain for the state of the key.
func (r *providerKey) look() {
	r.looks++
	mine := r.looks
	var state presenter.SecretState
	core := r.p.w.u.core
	r.p.w.u.run(waitLimit, func(ctx context.Context) error {
		state = core.SecretState(ctx, presenter.ProviderKey(r.name))
		return nil
	}, func(error) {
		if mine == r.looks {
			r.state = state
			r.refresh()
		}
	})
}

// resume takes over from the part in another language.
func (k *providerKeys) resume(old *providerKeys) {
	for i, r := range k.rows {
		r.state = old.rows[i].state
		r.secret.resume(old.rows[i].secret)
	}
}

func (k *providerKeys) refresh() {
	for _, r := range k.rows {
		r.refresh()
	}
}

func (r *providerKey) refresh() {
	form := r.p.form
	reason, fixed := form.Fixed(settings.FieldProvider(r.name))
	enable(r.choose, !fixed)
	mode := form.Mode(r.name)
	if text := presenter.KeyModeText(mode); r.choose.Selected != text {
		r.choose.SetSelected(text)
	}
	hint := presenter.KeyModeHint(mode)
	if fixed {
		hint = reason
	}
	r.hint.set(hint, widget.LowImportance)
	r.hint.Hidden = hint == ""
	own := mode == settings.KeyOwn
	r.secret.content.Hidden = !own
	if own && !r.checked {
		r.checked = true
		r.look()
	}
	if !own {
		r.checked = false
		return
	}
	r.secret.refresh(r.state)
}
