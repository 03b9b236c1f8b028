package capture_test

import (
	"bytes"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"apex-ai-proxy/proxy/capture"
	_ "apex-ai-proxy/proxy/spent/spoil" // memory that was given back
)

func limits(change func(*capture.Limits)) capture.Limits {
	l := capture.Limits{Exchanges: 3, PerBody: 10, Total: 1 << 20}
	if change != nil {
		change(&l)
	}
	return l
}

// record makes a finished record with a body of n bytes.
func record(s *capture.Store, id string, n int, failed bool) {
	r := s.Open(id)
	r.Request(capture.ClientRequest, "POST", "/v1/messages", nil, bytes.Repeat([]byte("x"), n))
	r.End(failed)
}

func TestFourSides(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	r := s.Open("a")
	r.Request(capture.ClientRequest, "POST", "/v1/messages?beta=true", http.Header{"X-Api-Key": {"k1"}, "Accept": {"*/*"}}, []byte("12345678901234"))
	r.Request(capture.UpstreamRequest, "POST", "https://example.com/chat", http.Header{"Authorization": {"Bearer s3cret"}}, []byte("up"))
	r.Answer(capture.UpstreamAnswer, 200, http.Header{"Set-Cookie": {"id=1"}})
	r.Write(capture.UpstreamAnswer, []byte("data: "))
	before := s.Revision("a")
	r.Write(capture.UpstreamAnswer, []byte("1234567890"))
	if s.Revision("a") == before {
		t.Error("the revision did not change with the body")
	}
	r.Answer(capture.ClientAnswer, 200, nil)
	r.End(false)

	got, ok := s.Get("a")
	if !ok || !got.Done || got.Attempts != 1 {
		t.Fatalf("%t %+v", ok, got)
	}
	m := got.Messages
	for side, want := range []struct {
		body string
		size int64
	}{{"1234567890", 14}, {"up", 2}, {"data: 1234", 16}, {"", 0}} {
		if string(m[side].Body) != want.body || m[side].Size != want.size || !m[side].Seen {
			t.Errorf("side %d: %q of %d bytes", side, m[side].Body, m[side].Size)
		}
	}
	if !m[0].Cut() || m[1].Cut() {
		t.Error("the wrong bodies count as cut")
	}
	if h := m[0].Header; h.Get("X-Api-Key") != "••••••••" || h.Get("Accept") != "*/*" {
		t.Errorf("client headers %v", h)
	}
	if got := m[1].Header.Get("Authorization"); got != "Bearer ••••••••" {
		t.Errorf("authorization %q", got)
	}
	if strings.Contains(fmt.Sprint(m), "id=1") {
		t.Error("a cookie is kept")
	}
}

func TestSecretsAreHidden(t *testing.T) {
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 1000 }), func() []string { return []string{"", "abc", "hunter2hunter2"} })
	r := s.Open("a")
	r.Request(capture.ClientRequest, "POST", "/v1/models?api-key=hunter3&limit=4&k%65y=5", http.Header{
		"Cf-Aig-Authorization": {"Bearer x"}, "Api-Key": {"y"}, "X-Goog-Api-Key": {"z"}, "X-Auth-Token": {"t"},
		"Anthropic-Ratelimit-Tokens-Remaining": {"7"}, "X-Token-Count": {"estimate"},
	}, []byte(`{"text":"abc hunter2hunter2"}`))
	r.Answer(capture.UpstreamAnswer, 401, nil)
	r.Write(capture.UpstreamAnswer, []byte(`{"error":{"message":"Incorrect API key provided: sk-proj-abcdefghijklmnop1234"}}`))
	got, _ := s.Get("a")
	text := fmt.Sprint(got)
	m := got.Messages[0]
	if string(m.Body) != `{"text":"abc ••••••••"}` || m.Cut() {
		t.Errorf("body %s", m.Body)
	}
	if m.URL != "/v1/models?api-key=••••••••&limit=4&k%65y=••••••••" {
		t.Errorf("address %s", m.URL)
	}
	for name := range m.Header {
		shown := m.Header.Get(name)
		if keep := strings.Contains(name, "Ratelimit") || strings.Contains(name, "Count"); keep == strings.Contains(shown, "•") {
			t.Errorf("%s: %s", name, shown)
		}
	}
	if strings.Contains(string(got.Messages[2].Body), "abcdefghijklmnop1234") || strings.Contains(text, "hunter3") {
		t.Errorf("a key is seen: %s", text)
	}
	if _, body, ok := s.Original("a"); !ok || !strings.Contains(string(body), "hunter2hunter2") {
		t.Errorf("the original is %s", body)
	}
}

// TestHalfASecretIsHidden: the end of what is kept may be in the middle of a secret.
func TestHalfASecretIsHidden(t *testing.T) {
	const secret = "hunter2hunter2"
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 20 }), func() []string { return []string{secret} })
	for kept := range len(secret) {
		id := fmt.Sprint(kept)
		r := s.Open(id)
		r.Request(capture.ClientRequest, "POST", "/", nil, []byte(strings.Repeat("x", 20-kept)+secret+"y"))
		r.Answer(capture.UpstreamAnswer, 200, nil)
		r.Write(capture.UpstreamAnswer, []byte("x"+secret[:kept])) // the rest is on its way
		got, _ := s.Get(id)
		for _, side := range []capture.Side{capture.ClientRequest, capture.UpstreamAnswer} {
			m := got.Messages[side]
			if strings.Contains(string(m.Body), "hunt") || kept >= 4 && !strings.HasSuffix(string(m.Body), capture.Dots) {
				t.Errorf("%d bytes of a secret: %s", kept, m.Body)
			}
		}
		if !got.Messages[capture.ClientRequest].Cut() {
			t.Errorf("%d: half a body passes for a whole one", kept)
		}
		r.End(false)
	}
	r := s.Open("whole")
	r.Request(capture.ClientRequest, "POST", "/", nil, []byte("I hunt"))
	r.End(false)
	if got, _ := s.Get("whole"); string(got.Messages[0].Body) != "I hunt" {
		t.Errorf("a word is hidden: %s", got.Messages[0].Body)
	}
}

func TestOriginalMustBeWhole(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	record(s, "short", 10, false)
	record(s, "long", 11, false)
	if _, _, ok := s.Original("short"); !ok {
		t.Error("a whole request is not given")
	}
	for _, id := range []string{"long", "unknown"} {
		if _, _, ok := s.Original(id); ok {
			t.Errorf("%s: half a request is given as whole", id)
		}
	}
}

// block is what the memory of a short body counts, in bytes.
const block = 512

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits capture.Limits
		sizes  []int
		want   string // ids that are kept
	}{
		"number":                {limits(nil), []int{1, 1, 1, 1, 1}, "234"},
		"bytes":                 {limits(func(l *capture.Limits) { l.Total = 2*block + block/2 }), []int{10, 10, 10}, "12"},
		"the newest stays":      {limits(func(l *capture.Limits) { l.Total = 5 }), []int{10, 10}, "1"},
		"a body's rest is free": {limits(func(l *capture.Limits) { l.Total = 3 * block }), []int{5000, 5000, 5000}, "012"},
		"off":                   {limits(func(l *capture.Limits) { l.Mode = capture.Off }), []int{1, 1}, ""},
		"only failures":         {limits(func(l *capture.Limits) { l.Mode = capture.Errors }), []int{1, 2, 3, 4}, "13"},
	} {
		t.Run(name, func(t *testing.T) {
			s := capture.NewStore(c.limits, nil)
			for i, n := range c.sizes {
				record(s, fmt.Sprint(i), n, i%2 == 1)
			}
			kept, held := "", int64(0)
			for i := range c.sizes {
				if _, ok := s.Get(fmt.Sprint(i)); ok {
					kept += fmt.Sprint(i)
					held += block
				}
			}
			if kept != c.want {
				t.Errorf("kept %q, want %q", kept, c.want)
			}
			if s.Bytes() != held {
				t.Errorf("%d bytes are counted, %d are held", s.Bytes(), held)
			}
		})
	}
}

// TestRefusedRequestsTakeFewPlaces: whoever is refused, however often, pushes out little of what is
// kept of others, and nothing once a tenth is taken.
func TestRefusedRequestsTakeFewPlaces(t *testing.T) {
	for _, c := range []struct{ most, kept int }{{100, 90}, {5, 4}} {
		s := capture.NewStore(limits(func(l *capture.Limits) { l.Exchanges = c.most }), nil)
		for i := range c.most {
			record(s, fmt.Sprint("good", i), 1, false)
		}
		var last string
		for i := range 1000 {
			last = fmt.Sprint("refused", i)
			r := s.OpenRefused(last)
			r.Answer(capture.ClientAnswer, 401, nil)
			r.Write(capture.ClientAnswer, []byte("who are you?"))
			r.End(true)
		}
		kept := 0
		for i := range c.most {
			if _, ok := s.Get(fmt.Sprint("good", i)); ok {
				kept++
			}
		}
		if snap, ok := s.Get(last); kept != c.kept || !ok || string(snap.Messages[capture.ClientAnswer].Body) != "who are yo" {
			t.Errorf("of %d, %d are kept, want %d; the last refusal: %t", c.most, kept, c.kept, ok)
		}
		s.Clear()
		if s.Bytes() != 0 {
			t.Errorf("%d bytes are held by nothing", s.Bytes())
		}
	}
}

func TestStreamsStayWithinTheTotal(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 100, PerBody: 1 << 20, Total: 64 << 10}, nil)
	var open []*capture.Record
	for i := range 20 {
		open = append(open, s.Open(fmt.Sprint(i)))
	}
	for range 64 {
		for _, r := range open {
			r.Write(capture.UpstreamAnswer, make([]byte, 256))
		}
	}
	if n := s.Bytes(); n > 64<<10 {
		t.Errorf("%d bytes are held", n)
	}
	for _, r := range open {
		r.End(true) // also of those that were forgotten meanwhile
	}
}

// TestLongHeadsCount: of heads that are as long as bodies no more is kept than of these.
func TestLongHeadsCount(t *testing.T) {
	const total, head = 64 << 10, 5 << 10
	s := capture.NewStore(capture.Limits{Exchanges: 100, PerBody: 1 << 20, Total: total}, nil)
	long := http.Header{"X-Long": {strings.Repeat("x", head)}}
	kept := 0
	for i := range 50 {
		r := s.Open(fmt.Sprint(i))
		r.Request(capture.ClientRequest, "POST", "/?"+strings.Repeat("x", head), nil, []byte("body"))
		for range 3 { // attempts
			r.Request(capture.UpstreamRequest, "POST", "u", long, []byte("body"))
			r.Answer(capture.UpstreamAnswer, 200, long)
		}
		r.Answer(capture.ClientAnswer, 200, long)
		r.End(false)
	}
	for i := range 50 {
		if _, ok := s.Get(fmt.Sprint(i)); ok {
			kept++
		}
	}
	if n := s.Bytes(); n > total || kept < 2 || kept > total/(4*head) {
		t.Errorf("%d exchanges are kept, %d bytes", kept, n)
	}
	if s.Clear(); s.Bytes() != 0 {
		t.Errorf("%d bytes are counted where nothing is kept", s.Bytes())
	}
}

// TestManyFieldsCount: a head may be long though its fields say nothing.
func TestManyFieldsCount(t *testing.T) {
	names, values := http.Header{}, http.Header{"X-Empty": make([]string, 1000)}
	for i := range 1000 {
		names[fmt.Sprint("X", i)] = []string{""}
	}
	for name, h := range map[string]http.Header{"names": names, "values": values} {
		s := capture.NewStore(capture.DefaultLimits(), nil)
		s.Open("a").Answer(capture.UpstreamAnswer, 200, h)
		if n := s.Bytes(); n < 16_000 {
			t.Errorf("%s: %d bytes are counted", name, n)
		}
	}
}

func TestSetLimitsAndClear(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	for i := range 3 {
		record(s, fmt.Sprint(i), 5, false)
	}
	s.SetLimits(limits(func(l *capture.Limits) { l.Exchanges = 1 }))
	if _, ok := s.Get("1"); ok {
		t.Error("a smaller limit did not count at once")
	}
	running := s.Open("running")
	s.Clear()
	running.Write(capture.UpstreamAnswer, []byte("more"))
	running.Request(capture.ClientRequest, "POST", "/", nil, []byte("late"))
	if _, ok := s.Get("running"); ok || s.Bytes() != 0 || s.Revision("running") != 0 {
		t.Errorf("something is kept after Clear: %d bytes", s.Bytes())
	}
	s.SetLimits(limits(func(l *capture.Limits) { l.Mode = capture.Off }))
	if s.Open("x") != nil {
		t.Error("a record is made while captures are off")
	}
	if s.Limits().Mode != capture.Off {
		t.Error("the limits are not told")
	}
}

func TestAnotherAttemptTakesThePlace(t *testing.T) {
	s := capture.NewStore(limits(nil), nil)
	r := s.Open("a")
	r.Request(capture.UpstreamRequest, "POST", "u1", nil, []byte("first"))
	r.Answer(capture.UpstreamAnswer, 429, nil)
	r.Write(capture.UpstreamAnswer, []byte("busy"))
	r.Request(capture.UpstreamRequest, "POST", "u2", nil, []byte("second"))
	got, _ := s.Get("a")
	if got.Attempts != 2 || string(got.Messages[1].Body) != "second" || got.Messages[2].Seen {
		t.Errorf("%+v", got)
	}
	if s.Bytes() != block {
		t.Errorf("%d bytes are counted", s.Bytes())
	}
}

// TestEveryAttemptsKeyIsHidden: also that of a request whose place another one took.
func TestEveryAttemptsKeyIsHidden(t *testing.T) {
	s := capture.NewStore(limits(func(l *capture.Limits) { l.PerBody = 1000 }), nil)
	r := s.Open("a")
	key := func(n int) http.Header { return http.Header{"X-Api-Key": {fmt.Sprintf("key-of-attempt-%d", n)}} }
	r.Request(capture.ClientRequest, "POST", "/", key(0), nil)
	r.Request(capture.UpstreamRequest, "POST", "u1", key(1), nil)
	r.Request(capture.UpstreamRequest, "POST", "u2", key(2), nil)
	r.Answer(capture.ClientAnswer, 200, nil)
	r.Write(capture.ClientAnswer, []byte("it said key-of-attempt-0 key-of-attempt-1 key-of-attempt-2"))
	got, _ := s.Get("a")
	if said := string(got.Messages[capture.ClientAnswer].Body); said != "it said"+strings.Repeat(" "+capture.Dots, 3) {
		t.Errorf("keys of attempts are seen: %s", said)
	}
}

func TestNilRecord(t *testing.T) {
	var r *capture.Record
	r.Request(capture.ClientRequest, "", "", nil, nil)
	r.Answer(capture.ClientAnswer, 200, nil)
	r.Write(capture.ClientAnswer, []byte("x"))
	r.End(true)
}

func TestConcurrentUse(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 5, PerBody: 3000, Total: 12 << 10}, func() []string { return []string{"secret"} })
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			letter := []byte{byte('a' + g)}
			part := bytes.Repeat(letter, 700)
			for i := range 100 {
				id := fmt.Sprint(g, "-", i)
				r := s.Open(id)
				asked := bytes.Repeat(letter, 5000)
				r.Request(capture.ClientRequest, "POST", "/", http.Header{"A": {"b"}}, asked)
				for range 5 {
					r.Sent("POST", "u", nil, asked, asked[:100], letter, asked[100:])
					r.Write(capture.ClientAnswer, part)
					snap, _ := s.Get(id)
					for side, m := range snap.Messages {
						if len(m.Body) > 3000 || bytes.Count(m.Body, letter) != len(m.Body) {
							t.Errorf("side %d: %d bytes are shown, or those of another exchange", side, len(m.Body))
						}
					}
				}
				r.End(i%2 == 0)
			}
		})
	}
	wg.Wait()
	s.Clear()
	if s.Bytes() != 0 {
		t.Errorf("%d bytes are counted in an empty store", s.Bytes())
	}
}

// TestWhatWasShownStays: the memory of an exchange that is forgotten is used for others, but
// not what somebody has been given.
func TestWhatWasShownStays(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: 1 << 20, Total: 8 << 20}, nil)
	for size := 1; size < 200<<10; size = size*3 + 1 {
		var want []byte
		r := s.Open("first")
		for i := range 4 {
			part := bytes.Repeat([]byte{byte('a' + i)}, size)
			r.Answer(capture.UpstreamAnswer, 200, nil)
			r.Write(capture.ClientAnswer, part)
			want = append(want, part...)
		}
		first, _ := s.Get("first")
		r = s.Open("second")
		for range 5 {
			r.Write(capture.ClientAnswer, bytes.Repeat([]byte("x"), size))
			r.Write(capture.UpstreamAnswer, bytes.Repeat([]byte("y"), size))
		}
		if got := first.Messages[capture.ClientAnswer].Body; !bytes.Equal(got, want) {
			t.Errorf("4 parts of %d bytes: %d bytes are shown, %d were written, or others", size, len(got), len(want))
		}
	}
}

// TestRequestsThatWereShownStay: likewise for what was sent, also where it is kept as parts of
// another body.
func TestRequestsThatWereShownStay(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 1, PerBody: 1 << 20, Total: 8 << 20}, nil)
	request := func(id string, letter byte, size int) (asked []byte) {
		asked = bytes.Repeat([]byte{letter}, size)
		r := s.Open(id)
		r.Request(capture.ClientRequest, "POST", "/", nil, asked)
		r.Sent("POST", "u", nil, asked, asked[:size/2], []byte{letter}, asked[size/2:])
		r.End(false)
		return asked
	}
	for size := 1; size < 200<<10; size = size*3 + 1 {
		want := request("first", 'a', size)
		first, _ := s.Get("first")
		_, original, _ := s.Original("first")
		for range 3 {
			request("second", 'x', size)
		}
		if !bytes.Equal(first.Messages[capture.ClientRequest].Body, want) || !bytes.Equal(original, want) {
			t.Errorf("%d bytes: others are shown", size)
		}
		if !bytes.Equal(first.Messages[capture.UpstreamRequest].Body, append(want, 'a')) {
			t.Errorf("%d bytes: others are shown as sent", size)
		}
	}
}

// TestSentInPieces: a request upstream that consists of parts of the client's is shown as it
// was sent, and takes no memory for them.
func TestSentInPieces(t *testing.T) {
	const perBody, spans = 40 << 10, 200
	long := func(n int) string { return strings.Repeat("0123456789", n/10) }
	for name, c := range map[string]struct {
		asked  string
		pieces func(asked []byte) [][]byte
		kept   int // of what was sent, in bytes; -1 for everything
		copied int64
	}{
		"unchanged": {long(9000), func(b []byte) [][]byte { return [][]byte{b} }, -1, 0},
		"one edit": {long(9000), func(b []byte) [][]byte {
			return [][]byte{b[:10], []byte("name"), b[17:]}
		}, -1, block},
		"edits at both ends": {long(9000), func(b []byte) [][]byte {
			return [][]byte{[]byte("start"), b[4:4000], []byte("middle"), b[4000:8996], []byte("end")}
		}, -1, block},
		"out of order": {long(9000), func(b []byte) [][]byte {
			return [][]byte{b[8000:], b[:100], b[50:60]}
		}, -1, 0},
		"nothing left": {long(9000), func(b []byte) [][]byte { return [][]byte{b[:0], []byte("{}"), b[len(b):]} }, -1, block},
		"a copy":       {long(9000), func(b []byte) [][]byte { return [][]byte{bytes.Clone(b)} }, -1, 16 << 10},
		"a part that cannot be told": {long(9000), func(b []byte) [][]byte {
			return [][]byte{b[:7:7], b[7:]}
		}, -1, block},
		"another body":        {long(9000), func([]byte) [][]byte { return [][]byte{[]byte("another")} }, -1, block},
		"too long, unchanged": {long(60000), func(b []byte) [][]byte { return [][]byte{b} }, perBody, 0},
		"too long, longer": {long(60000), func(b []byte) [][]byte {
			return [][]byte{b[:10], []byte("a longer name"), b[12:]}
		}, perBody, block},
		"too long, shorter": {long(60000), func(b []byte) [][]byte {
			return [][]byte{b[:10], []byte("x"), b[20:]}
		}, perBody - 9, block},
		"an edit behind what is kept": {long(60000), func(b []byte) [][]byte {
			return [][]byte{b[:50000], []byte("name"), b[50000:]}
		}, perBody, 0},
		"parts behind what is kept": {long(60000), func(b []byte) [][]byte {
			return [][]byte{b[50000:], []byte("name"), b[:10]}
		}, 0, block},
	} {
		t.Run(name, func(t *testing.T) {
			s := capture.NewStore(capture.Limits{Exchanges: 3, PerBody: perBody, Total: 1 << 20}, nil)
			r := s.Open("a")
			asked := []byte(c.asked)
			r.Request(capture.ClientRequest, "POST", "/", nil, asked)
			before := s.Bytes()
			pieces := c.pieces(asked)
			want := bytes.Join(pieces, nil)
			for attempt := range 3 { // one takes the place of the other
				r.Sent("POST", fmt.Sprint(attempt), nil, asked, pieces...)
			}
			copied := s.Bytes() - before
			clear(asked) // its memory is used for another body
			r.End(false)
			got, _ := s.Get("a")
			m := got.Messages[capture.UpstreamRequest]
			kept := c.kept
			if kept < 0 {
				kept = len(want)
			}
			if !bytes.Equal(m.Body, want[:kept]) || m.Size != int64(len(want)) || m.Cut() != (kept < len(want)) {
				t.Errorf("%d bytes are shown of %d, want %d of %d, or others", len(m.Body), m.Size, kept, len(want))
			}
			if client := got.Messages[capture.ClientRequest]; string(client.Body) != c.asked[:len(client.Body)] {
				t.Error("the client's request is not shown as it came")
			}
			if copied < c.copied || copied > c.copied+spans {
				t.Errorf("%d bytes more are held, want about %d", copied, c.copied)
			}
			s.Clear()
			if s.Bytes() != 0 {
				t.Errorf("%d bytes are counted in an empty store", s.Bytes())
			}
		})
	}
}

// recorded is a stream of some chunks, as a store sees it.
func recorded(s *capture.Store, id string, head http.Header, chunk []byte, chunks int) {
	r := s.Open(id)
	body := []byte("{}")
	r.Request(capture.ClientRequest, "POST", "/v1/messages", head, body)
	r.Request(capture.UpstreamRequest, "POST", "http://localhost/v1", head, body)
	r.Answer(capture.UpstreamAnswer, 200, head)
	r.Answer(capture.ClientAnswer, 200, head)
	for range chunks {
		r.Write(capture.UpstreamAnswer, chunk)
		r.Write(capture.ClientAnswer, chunk)
	}
	r.End(false)
}

// TestRecordingLeavesNoGarbage: however long an answer is, once the store is full the memory
// of those that are forgotten is enough.
func TestRecordingLeavesNoGarbage(t *testing.T) {
	s := capture.NewStore(capture.Limits{Exchanges: 3, PerBody: 256 << 10, Total: 32 << 20}, nil)
	head := http.Header{"Authorization": {"Bearer 0123456789"}, "Content-Type": {"application/json"}, "X-Api-Key": {"0123456789"}}
	chunk := bytes.Repeat([]byte("x"), 200)
	runs := []int{1, 2000}
	allocations := make([]float64, len(runs))
	for i, chunks := range runs {
		n := 0
		allocations[i] = testing.AllocsPerRun(20, func() {
			n++
			recorded(s, ids[n%len(ids)], head, chunk, chunks)
		})
	}
	if allocations[0] > 6 || allocations[1] > allocations[0]+12 { // the race detector has pools lose some
		t.Errorf("%.0f allocations for a short answer, %.0f for a long one", allocations[0], allocations[1])
	}
}

// TestLargeRequestsLeaveNoGarbage: nor does a request that passes through, of which there is
// one copy at most.
func TestLargeRequestsLeaveNoGarbage(t *testing.T) {
	const size, runs = 256 << 10, 20
	s := capture.NewStore(capture.Limits{Exchanges: 3, PerBody: size, Total: 32 << 20}, nil)
	asked := bytes.Repeat([]byte("x"), size+1000)
	once := func(n int) {
		r := s.Open(ids[n%len(ids)])
		r.Request(capture.ClientRequest, "POST", "/", nil, asked)
		r.Sent("POST", "u", nil, asked, asked[:10], []byte("name"), asked[20:])
		r.End(false)
	}
	for n := range len(ids) {
		once(n)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for n := range runs {
		once(n)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / runs; each > size/2 { // the race detector has pools lose some
		t.Errorf("%d bytes are allocated for a request", each)
	}
	if n := s.Bytes(); n > 3*(size+2*block) {
		t.Errorf("%d bytes are held for three requests", n)
	}
}

var ids = []string{"0", "1", "2", "3", "4", "5"}

func BenchmarkRecord(b *testing.B) {
	head := http.Header{}
	for i := range 10 {
		head.Set(fmt.Sprintf("X-Header-%d", i), "value")
	}
	head.Set("Authorization", "Bearer 0123456789")
	for _, chunks := range []int{1, 200} {
		b.Run(fmt.Sprintf("%d chunks", chunks), func(b *testing.B) {
			s := capture.NewStore(capture.DefaultLimits(), nil)
			chunk := bytes.Repeat([]byte("x"), 200)
			names := make([]string, 200)
			for i := range names {
				names[i] = fmt.Sprint(i)
			}
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n++
				recorded(s, names[n%len(names)], head, chunk, chunks)
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	s := capture.NewStore(capture.DefaultLimits(), nil)
	chunk := bytes.Repeat([]byte("x"), 200)
	b.ReportAllocs()
	r, n := s.Open("0"), 0
	for b.Loop() {
		if n++; n%1000 == 0 {
			r = s.Open(fmt.Sprint(n))
		}
		r.Write(capture.UpstreamAnswer, chunk)
	}
}
