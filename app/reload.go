package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/prose"
)

// settleTime is how long a file must have stayed as it is before it is read: an editor may
// still be writing it.
const settleTime = 200 * time.Millisecond

// followEvery is how often a program without a window looks at file and keychain.
const followEvery = 2 * time.Second

// Follow takes up what changes in the settings file and the keychain until ctx ends.
func (a *App) Follow(ctx context.Context) {
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			a.look(ctx)
		}
	}
}

// look takes up what has changed outside of the program, and tells whether anything has.
func (a *App) look(ctx context.Context) (changed bool) {
	changed = a.reread(ctx)
	return a.Reload(ctx) || changed
}

// Reload takes up the settings file if somebody has changed it, as SaveSettings would. A
// file that cannot be used changes nothing but the Notices, and neither does one that is
// gone or empty: an editor may be about to write it. The result tells whether settings or
// notices are others now.
func (a *App) Reload(ctx context.Context) (changed bool) {
	found, ok := a.settled(ctx)
	if !ok {
		return false
	}
	a.saving.Lock()
	defer a.saving.Unlock()
	if !fileAt(a.path).same(found) {
		return false // the next look sees what becomes of it
	}
	a.seen = found
	if found.empty() {
		return a.note(nil, verdict{})
	}
	now, notices, err := settings.Load(a.path)
	var invalid *settings.ValidationError
	switch {
	case errors.As(err, &invalid):
	case err != nil:
		return a.note(notices, verdict{err: err, kept: true})
	}
	if problems := a.problemsOf(now, invalid); len(problems) > 0 {
		return a.note(notices, verdict{unfit: problems, kept: true})
	}
	return a.adopt(ctx, now, notices)
}

// settled waits until the file, if it has changed, stays as it is.
func (a *App) settled(ctx context.Context) (found fileSeen, changed bool) {
	a.saving.Lock()
	found = fileAt(a.path)
	changed = !found.same(a.seen)
	a.saving.Unlock()
	if !changed {
		return found, false
	}
	select {
	case <-time.After(settleTime):
		return found, true
	case <-ctx.Done():
		return found, false
	}
}

// adopt puts the settings of the file in force.
func (a *App) adopt(ctx context.Context, now settings.Settings, notices []settings.Notice) (changed bool) {
	before := a.Settings()
	after := overlay(now, a.overrides)
	fields := settings.Changes(before, after)
	commit := func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.file = now
		return nil
	}
	if err := a.sup.Change(ctx, newAddress(before, after), commit); err != nil {
		a.seen = fileSeen{} // it may work the next time
		return a.note(notices, verdict{unfit: []settings.Problem{{Field: settings.FieldListen, Text: prose.Of(err)}}, kept: true})
	}
	wrong := a.inFault()
	changed = a.note(notices, verdict{})
	switch {
	case len(fields) > 0:
		a.log.Info("the settings file has changed; its settings are in force now", "changed", fieldNames(fields))
		a.putInForce(ctx, after)
	case wrong:
		a.log.Info("the settings file can be used again; its settings are those in force")
	}
	return changed || len(fields) > 0
}

func fieldNames(changes []settings.Change) string {
	names := make([]string, len(changes))
	for i, c := range changes {
		names[i] = settings.Masked(c.Field)
	}
	return strings.Join(names, ", ")
}

// verdict is what keeps the settings file from being used. The zero verdict is that nothing
// does.
type verdict struct {
	err   error              // it could not be read
	unfit []settings.Problem // its values could
	kept  bool               // the settings in force are those from before, not the defaults
}

// inFault tells whether something keeps the settings file, or values in it, from being used.
func (a *App) inFault() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.fileErr != nil || len(a.misfits) > 0
}

// note takes over what there is to tell about the file as it is now, and tells whether that
// is something else.
func (a *App) note(notices []settings.Notice, v verdict) (changed bool) {
	a.mu.Lock()
	before := verdict{a.fileErr, a.misfits, a.stale}
	changed = !slices.EqualFunc(a.notices, notices, sameNotice) || !before.equal(v)
	a.notices, a.fileErr, a.misfits, a.stale = notices, v.err, v.unfit, v.kept
	a.mu.Unlock()
	if !changed {
		return false
	}
	if v.err != nil {
		a.log.Warn("settings file", "why", v.err)
	}
	for _, n := range a.Notices() {
		about := []any{"why", n.Text.String()}
		if n.Line > 0 {
			about = append([]any{"line", n.Line}, about...)
		}
		a.log.Warn("settings file", about...)
	}
	return true
}

func (v verdict) equal(w verdict) bool {
	return v.kept == w.kept && errorText(v.err) == errorText(w.err) && slices.EqualFunc(v.unfit, w.unfit, sameProblem)
}

func sameNotice(m, n settings.Notice) bool { return m.String() == n.String() }

func sameProblem(p, q settings.Problem) bool {
	return p.Field == q.Field && p.Text.String() == q.Text.String()
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// problemsOf is what keeps settings of the file from being put in force: values that are
// wrong, or in unread that could not be read, and that nothing overrides.
func (a *App) problemsOf(now settings.Settings, unread *settings.ValidationError) []settings.Problem {
	var out []settings.Problem
	if unread != nil {
		out = a.notOverridden(unread.Problems)
	}
	var invalid *settings.ValidationError
	if errors.As(check(overlay(now, a.overrides)), &invalid) {
		out = append(out, invalid.Problems...)
	}
	return out
}

// notOverridden are the problems of fields whose value in the file matters.
func (a *App) notOverridden(list []settings.Problem) (out []settings.Problem) {
	overridden := a.Overridden()
	for _, p := range list {
		if _, ok := overridden[p.Field]; !ok {
			out = append(out, p)
		}
	}
	return out
}

// newAddress is the address to move to, "" when it is the same.
func newAddress(before, after settings.Settings) string {
	if after.Server.Listen == before.Server.Listen {
		return ""
	}
	return after.Server.Listen
}

// fileSeen is a state of the settings file. The zero fileSeen is of none that is known.
type fileSeen struct{ info fs.FileInfo }

// fileAt looks at a file. One that is not there, or cannot be looked at, has no state.
func fileAt(path string) fileSeen {
	info, err := os.Stat(path)
	if err != nil {
		return fileSeen{}
	}
	return fileSeen{info}
}

func (f fileSeen) empty() bool { return f.info == nil || f.info.Size() == 0 }

func (f fileSeen) same(g fileSeen) bool {
	if f.info == nil || g.info == nil {
		return f.info == nil && g.info == nil
	}
	return f.info.Size() == g.info.Size() && f.info.ModTime().Equal(g.info.ModTime()) && os.SameFile(f.info, g.info)
}
