package ir

import "strconv"

// Restorer gives tool calls the names and shapes the client knows: what EncodeRequest had
// to rename or wrap is undone in the answer. The zero Restorer changes nothing.
type Restorer struct {
	Names   map[string]string // see Encoded.Names
	Customs map[string]bool   // see Encoded.Customs

	ids    map[string]bool // of the calls so far
	custom *unwrapper      // of the open part, when it is a wrapped custom call
}

// RestorerFor undoes what encoding a request did.
func RestorerFor(e *Encoded) *Restorer { return &Restorer{Names: e.Names, Customs: e.Customs} }

// Event passes a step of a stream on, restored.
func (r *Restorer) Event(ev *Event, emit func(*Event)) {
	switch {
	case ev.Kind == PartOpen:
		r.custom = nil
		if ev.Part == ToolCall {
			r.open(ev, emit)
			return
		}
	case r.custom != nil && ev.Kind == Delta:
		if text := r.custom.feed(ev.Text); len(text) > 0 {
			emit(&Event{Kind: Delta, Text: text})
		}
		return
	case r.custom != nil && ev.Kind == PartClose:
		text, cut := r.custom.close()
		r.custom = nil
		if len(text) > 0 {
			emit(&Event{Kind: Delta, Text: text})
		}
		emit(&Event{Kind: PartClose, Cut: cut || ev.Cut})
		return
	}
	emit(ev)
}

func (r *Restorer) open(ev *Event, emit func(*Event)) {
	open := *ev
	if r.Customs[ev.Name] {
		r.custom, open.Custom = &unwrapper{}, true
	}
	if name, ok := r.Names[ev.Name]; ok {
		open.Name = name
	}
	open.ID = r.unique(ev.ID)
	emit(&open)
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
