package ui

import (
	"strings"

	"apex-ai-proxy/ui/presenter"
)

// passage is what lines show: headers above a body, with an empty line between them. All of it is
// counted in lines.
type passage struct {
	heads []presenter.Fact
	text  []presenter.Line
}

// body is the line that the body begins with.
func (p *passage) body() int {
	if len(p.heads) > 0 && len(p.text) > 0 {
		return len(p.heads) + 1
	}
	return len(p.heads)
}

func (p *passage) len() int { return p.body() + len(p.text) }

// exact is a line as it is to be copied.
func (p *passage) exact(line int) string {
	switch {
	case line >= p.body():
		return p.text[line-p.body()].Exact()
	case line < len(p.heads):
		return p.heads[line].Name + ": " + p.heads[line].Value
	default:
		return ""
	}
}

// value is what a header or a line of JSON says, if the line is one of these.
func (p *passage) value(line int) (string, bool) {
	switch {
	case line >= p.body():
		return presenter.Value(p.text, line-p.body())
	case line < len(p.heads):
		return p.heads[line].Value, true
	default:
		return "", false
	}
}

// copy is the text of lines.
func (p *passage) copy(c choice) string {
	from, to := c.bounds()
	all := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		all = append(all, p.exact(i))
	}
	return strings.Join(all, "\n")
}

// same tells whether lines say what they said in another passage.
func (p *passage) same(was passage, c choice) bool {
	from, to := c.bounds()
	if !c.some || to >= p.len() {
		return false
	}
	for i := from; i <= to; i++ {
		if p.exact(i) != was.exact(i) {
			return false
		}
	}
	return true
}

// choice are the lines that the user has selected: from where that began to where it got.
type choice struct {
	some    bool
	at, end int
}

func (c choice) bounds() (from, to int) { return min(c.at, c.end), max(c.at, c.end) }

func (c choice) has(line int) bool {
	from, to := c.bounds()
	return c.some && line >= from && line <= to
}
