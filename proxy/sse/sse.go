// Package sse reads server-sent events as the WHATWG standard defines them: lines may
// end in LF, CRLF or CR, a byte order mark may come first, comments are skipped, data
// lines of one event are joined, and an event may be cut anywhere between two reads.
package sse

import (
	"bytes"

	"apex-ai-proxy/proxy/prose"
	"apex-ai-proxy/proxy/spent"
)

// Frame is one event. Both fields alias the parser's memory or the bytes fed to it and
// are only valid until the next call.
type Frame struct {
	Event []byte // the event's name, empty when it has none
	Data  []byte
}

// MaxFrame bounds one event, in bytes.
const MaxFrame = 32 << 20

// ErrTooLong is returned for an event larger than MaxFrame.
var ErrTooLong error = prose.Errorf("an event of the stream is larger than 32 MiB")

// Parser cuts a stream into events. The zero Parser is ready for use.
type Parser struct {
	line    []byte // an unfinished line
	event   []byte
	data    []byte
	inPlace []byte // the data in front of data: one line that is a part of what is fed
	hasData bool
	started bool // a first byte was seen, so no byte order mark can follow
	skipLF  bool // the last line ended in CR
}

var bom = []byte("\xEF\xBB\xBF")

// Feed takes the next bytes of the stream and calls emit for every event they complete.
func (p *Parser) Feed(b []byte, emit func(Frame)) error {
	for len(b) > 0 {
		if p.skipLF {
			p.skipLF = false
			if b[0] == '\n' {
				b = b[1:]
				continue
			}
		}
		end := lineEnd(b)
		if end < 0 {
			if len(p.line)+p.size()+len(b) > MaxFrame {
				return ErrTooLong
			}
			p.line = append(p.line, b...)
			break
		}
		p.skipLF = b[end] == '\r'
		line, fed := b[:end], true
		b = b[end+1:]
		if len(p.line) > 0 {
			p.line = append(p.line, line...)
			line, fed = p.line, false
			p.line = p.line[:0]
		}
		if !p.started {
			p.started = true
			line = bytes.TrimPrefix(line, bom)
		}
		if p.size()+len(line) > MaxFrame {
			return ErrTooLong
		}
		p.take(line, fed, emit)
		if !fed {
			spent.Bytes(line)
		}
	}
	p.own()
	return nil
}

// size is how long the data is so far.
func (p *Parser) size() int { return len(p.inPlace) + len(p.data) }

// own copies the data that is a part of what was fed.
func (p *Parser) own() {
	if len(p.inPlace) > 0 {
		p.data = append(p.data[:0], p.inPlace...)
		p.inPlace = nil
	}
}

// lineEnd is the index of the first LF or CR, -1 when there is none.
func lineEnd(b []byte) int {
	end := bytes.IndexByte(b, '\n')
	if end >= 0 {
		b = b[:end]
	}
	if cr := bytes.IndexByte(b, '\r'); cr >= 0 {
		return cr
	}
	return end
}

// take interprets one whole line, which stays where it is until the end of Feed when it is fed.
func (p *Parser) take(line []byte, fed bool, emit func(Frame)) {
	if len(line) == 0 {
		p.flush(emit)
		return
	}
	name, value, _ := bytes.Cut(line, []byte{':'})
	if len(value) > 0 && value[0] == ' ' {
		value = value[1:]
	}
	switch string(name) {
	case "data":
		switch {
		case p.hasData:
			p.own()
			p.data = append(append(p.data, '\n'), value...)
		case fed:
			p.inPlace = value[:len(value):len(value)]
		default:
			p.data = append(p.data, value...)
		}
		p.hasData = true
	case "event":
		p.event = append(p.event[:0], value...)
	}
}

func (p *Parser) flush(emit func(Frame)) {
	if p.hasData {
		f := Frame{Event: p.event, Data: p.data}
		if len(p.inPlace) > 0 {
			f.Data = p.inPlace
		}
		emit(f)
	}
	p.event, p.data, p.inPlace, p.hasData = spent.Empty(p.event), spent.Empty(p.data), nil, false
}

// Close hands out an event that the stream ended in without an empty line.
func (p *Parser) Close(emit func(Frame)) {
	if len(p.line) > 0 {
		line := p.line
		p.line = nil
		p.take(line, false, emit)
	}
	p.flush(emit)
}
