// Package remedy knows how a converted request is changed so that an upstream takes it
// that has refused it.
//
// Conversions are written for what providers and models are known to take. When one
// refuses all the same, its message often says what to change: that is one table (see
// rows). A request is changed once; what was learned is kept in a Book, so that the next
// request to the model is right at once. Requests that pass through are never changed.
package remedy

import (
	"container/list"
	"net/http"
	"slices"
	"sync"
	"time"

	"apex-ai-proxy/proxy/convert/ir"
)

// Draft is a request about to be encoded. Neither the request nor its lists are written
// to: changes are made to copies.
type Draft struct {
	Req    *ir.Request
	Target ir.Target
	Losses ir.Losses // what the changes lose

	own bool // Req is a copy
}

// edit is the request, to be changed.
func (d *Draft) edit() *ir.Request {
	if !d.own {
		req := *d.Req
		d.Req, d.own = &req, true
	}
	return d.Req
}

// lose notes that a field of the client's was left out.
func (d *Draft) lose(path, format string, args ...any) {
	d.Losses.Add("field-refused", path, format, args...)
}

// Lesson is a change that helped.
type Lesson struct {
	row  int // of rows
	args []string
}

func (l Lesson) same(m Lesson) bool { return l.row == m.row && slices.Equal(l.args, m.args) }

func (l Lesson) apply(d *Draft) bool { return rows()[l.row].cure(d, l.args) }

// Refused tells whether an answer with the status can be a refusal that is in the table.
func Refused(status int) bool {
	return status == http.StatusBadRequest || status == http.StatusUnprocessableEntity
}

// Cure changes the draft as the message of a refusal asks for, and returns what is to be
// learned from it if the changed request is taken. ok is false when the message tells
// nothing that could be changed.
func (d *Draft) Cure(message string) (learned []Lesson, ok bool) {
	all := rows()
	for i := range all {
		for _, m := range all[i].pattern.FindAllStringSubmatch(message, maxMatches) {
			l := Lesson{row: i, args: slices.DeleteFunc(m[1:], func(s string) bool { return s == "" })}
			if !l.apply(d) {
				continue
			}
			ok = true
			if all[i].lasts {
				learned = append(learned, l)
			}
		}
	}
	if ok {
		d.Losses.Add("repaired", "", "the provider refused the converted request; the proxy changed it and sent it again")
	}
	return learned, ok
}

// maxMatches bounds how many complaints of a kind are looked at.
const maxMatches = 8

// Model is what lessons are kept for: they may differ between the APIs of one model.
type Model struct {
	Provider, Model string
	Protocol        ir.Protocol
}

// Bounds of a Book.
const (
	maxModels  = 256
	maxLessons = 16 // per model
	// lifetime is how long lessons are believed: what was learned wrong, or is no longer so,
	// does not cripple a program that runs for weeks.
	lifetime = 24 * time.Hour
)

// Book keeps what was learned, for the models used last. It may be used by several
// goroutines.
type Book struct {
	now func() time.Time

	mu     sync.Mutex
	models map[Model]*list.Element
	order  list.List // of *page, the last used in front
}

// NewBook returns an empty book that reads the time from now.
func NewBook(now func() time.Time) *Book {
	return &Book{now: now, models: make(map[Model]*list.Element)}
}

type page struct {
	model   Model
	since   time.Time
	lessons []Lesson // replaced, never written to
}

// Draft is the request for a model, changed by what was learned before.
func (b *Book) Draft(m Model, req *ir.Request, to ir.Target) *Draft {
	d := &Draft{Req: req, Target: to}
	for _, l := range b.lessons(m) {
		l.apply(d)
	}
	return d
}

func (b *Book) lessons(m Model) []Lesson {
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.models[m]
	if !ok {
		return nil
	}
	if b.now().Sub(e.Value.(*page).since) >= lifetime {
		b.forget(e)
		return nil
	}
	b.order.MoveToFront(e)
	return e.Value.(*page).lessons
}

// Learn keeps lessons for a model. The newest come last, so that they count most.
func (b *Book) Learn(m Model, lessons []Lesson) {
	if len(lessons) == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	e, ok := b.models[m]
	if !ok {
		if b.order.Len() >= maxModels {
			b.forget(b.order.Back())
		}
		e = b.order.PushFront(&page{model: m, since: b.now()})
		b.models[m] = e
	}
	p := e.Value.(*page)
	kept := slices.DeleteFunc(slices.Clone(p.lessons), func(l Lesson) bool { return slices.ContainsFunc(lessons, l.same) })
	kept = append(kept, lessons...)
	p.lessons = kept[max(0, len(kept)-maxLessons):]
}

func (b *Book) forget(e *list.Element) { delete(b.models, b.order.Remove(e).(*page).model) }
