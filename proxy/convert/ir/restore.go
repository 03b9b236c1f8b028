package ir

import (
	"strconv"

	"apex-ai-proxy/proxy/rawjson"
)

// Restorer gives tool calls the names and shapes the client knows: what EncodeRequest had
// to rename or wrap is undone in the answer. The zero Restorer changes nothing.
type Restorer struct {
	Names   map[string]string // see Encoded.Names
	Customs map[string]bool   // see Encoded.Customs

	ids    map[string]bool // of the calls so far
	custom bool            // the open part is a wrapped custom call
	args   []byte          // its arguments so far
}

// RestorerFor undoes what encoding a request did.
func RestorerFor(e *Encoded) *Restorer { return &Restorer{Names: e.Names, Customs: e.Customs} }

// Event passes a step of a stream on, restored. The text of a wrapped custom call is
// passed on when the call is complete.
func (r *Restorer) Event(ev *Event, emit func(*Event)) {
	switch {
	case ev.Kind == PartOpen && ev.Part == ToolCall:
		r.custom, r.args = r.Customs[ev.Name], r.args[:0]
		open := *ev
		if name, ok := r.Names[ev.Name]; ok {
			open.Name = name
		}
		open.Custom = open.Custom || r.custom
		open.ID = r.unique(ev.ID)
		emit(&open)
		return
	case r.custom && ev.Kind == Delta:
		r.args = append(r.args, ev.Text...)
		return
	case r.custom && ev.Kind == PartClose:
		r.custom = false
		args := rawjson.Escaped(r.args).Append(nil)
		if text := UnwrapInput(args); len(text) > 0 {
			emit(&Event{Kind: Delta, Text: text})
		}
	case ev.Kind == PartOpen:
		r.custom = false
	}
	emit(ev)
}

// unique tells calls apart that the upstream gave the same id.
func (r *Restorer) unique(id string) string {
	if id == "" {
		return ""
	}
	if r.ids == nil {
		r.ids = make(map[string]bool)
	}
	base := id
	for n := 2; r.ids[id]; n++ {
		id = base + "_" + strconv.Itoa(n)
	}
	r.ids[id] = true
	return id
}

// Response restores the calls of a whole answer in place.
func (r *Restorer) Response(res *Response) {
	for i := range res.Parts {
		p := &res.Parts[i]
		if p.Kind != ToolCall {
			continue
		}
		if r.Customs[p.Call.Name] {
			p.Call.Custom, p.Call.Input = true, UnwrapInput(p.Call.Args)
		}
		if name, ok := r.Names[p.Call.Name]; ok {
			p.Call.Name = name
		}
		p.Call.ID = r.unique(p.Call.ID)
	}
}
