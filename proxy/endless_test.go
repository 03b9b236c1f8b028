package proxy_test

import (
	"bytes"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"apex-ai-proxy/proxy/event"
)

const mib = 1 << 20

// endless sends a beginning and then the same piece again and again, until nobody takes it
// any more. sent counts the bytes.
func endless(status int, media, begin, piece string, sent *atomic.Int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", media)
		w.WriteHeader(status)
		_, err := io.WriteString(w, begin)
		for b := []byte(piece); err == nil; {
			var n int
			n, err = w.Write(b)
			sent.Add(int64(n))
		}
	}
}

// piece is what an endless stream repeats, in the protocol of the upstream, with some text.
func piece(model, text string) (begin, piece string) {
	switch {
	case strings.HasSuffix(model, "#anthropic"):
		return msgFrames[0] + msgFrames[1], strings.Replace(msgFrames[2], "hel", text, 1)
	case strings.HasPrefix(model, "gpt-5"):
		return "event: response.created\n" + `data: {"type":"response.created","sequence_number":0,"response":` + strings.Replace(respAnswer, "completed", "in_progress", 1) + "}\n\n",
			"event: response.output_text.delta\n" + `data: {"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"` + text + "\"}\n\n"
	default:
		return chatFrames[0], strings.Replace(chatFrames[1], "hel", text, 1)
	}
}

// allocated is how many bytes were asked for since the program began.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestEndlessStream: what passes through costs no memory, however long it goes on, and ends
// with the client. What is converted ends in an error where it could not be told again.
func TestEndlessStream(t *testing.T) {
	text := strings.Repeat("words ", 1000)
	eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
		leaveNothing(t)
		passed := model == c.passed
		length := int64(16 * mib)
		if passed && stream && c.name == "chat" {
			length = 1 << 30
		}
		var sent atomic.Int64
		begin, more := piece(model, text)
		f := start(t, newUpstream(t, endless(200, "text/event-stream", begin, more, &sent)))
		before := allocated()
		resp, err := client.Do(f.request(t.Context(), "POST", c.path, c.body(model, stream)))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		id := resp.Header.Get("X-Apex-Request-Id")
		if passed && stream {
			if n, err := io.CopyN(io.Discard, resp.Body, length); err != nil {
				t.Fatalf("%d bytes, %v", n, err)
			}
			if grown := allocated() - before; grown > 16*mib {
				t.Errorf("%d MiB were allocated for a stream of %d MiB", grown/mib, length/mib)
			}
			_ = resp.Body.Close()
			if x := f.final(id); x.Phase != event.Cancelled || x.BytesOut < length {
				t.Errorf("record %+v", x)
			}
			return
		}
		b, err := io.ReadAll(resp.Body)
		switch {
		case err != nil:
			t.Error(err)
		case !stream:
			if e := parse(t, string(b)); resp.StatusCode != 502 || !strings.Contains(e.Error.Message, "32 MiB") {
				t.Errorf("%d %s", resp.StatusCode, b)
			}
		case !bytes.Contains(b, []byte("streamed more than 32 MiB of text")):
			t.Errorf("it ends in %s", b[max(0, len(b)-300):])
		}
		if x := f.final(id); x.Phase != event.Failed || x.Error == "" {
			t.Errorf("record %+v", x)
		}
		if got := sent.Load(); got > 64*mib {
			t.Errorf("%d MiB were taken", got/mib)
		}
	})
}

// TestAnswerWithoutEnd: one that is no stream, and has no end; in one line, or in an event.
func TestAnswerWithoutEnd(t *testing.T) {
	for _, form := range []struct{ name, media, begin string }{
		{"whole", "application/json", `{"id":"`},
		{"event", "text/event-stream", `data: {"id":"`},
	} {
		t.Run(form.name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
				leaveNothing(t)
				var sent atomic.Int64
				f := start(t, newUpstream(t, endless(200, form.media, form.begin, strings.Repeat("x", 64<<10), &sent)))
				resp, err := client.Do(f.request(t.Context(), "POST", c.path, c.body(model, stream)))
				if err != nil {
					t.Fatal(err)
				}
				defer resp.Body.Close()
				id := resp.Header.Get("X-Apex-Request-Id")
				if resp.StatusCode == http.StatusOK { // it passes through as it comes
					if model != c.passed || stream != (form.name == "event") {
						t.Error("taken for an answer")
					}
					if n, err := io.CopyN(io.Discard, resp.Body, 16*mib); err != nil {
						t.Errorf("%d bytes, %v", n, err)
					}
					_ = resp.Body.Close()
					if x := f.final(id); x.Phase != event.Cancelled {
						t.Errorf("record %+v", x)
					}
					return
				}
				b, err := io.ReadAll(resp.Body)
				if parse(t, string(b)); err != nil || resp.StatusCode != 502 {
					t.Errorf("%d %v %s", resp.StatusCode, err, b)
				}
				if form.name == "whole" && !bytes.Contains(b, []byte(" sent an answer larger than 64 MiB")) {
					t.Errorf("says %s", b)
				}
				if got := sent.Load(); got > 96*mib {
					t.Errorf("%d MiB were taken", got/mib)
				}
				if x := f.final(id); x.Phase != event.Failed {
					t.Errorf("record %+v", x)
				}
			})
		})
	}
}

// TestEndlessError: of an error no more is read than anybody needs.
func TestEndlessError(t *testing.T) {
	eachClient(t, func(t *testing.T, c clientOf, model string, stream bool) {
		leaveNothing(t)
		var sent atomic.Int64
		f := start(t, newUpstream(t, endless(500, "text/html", "<html><title>It is long</title>", strings.Repeat("<p>x", 16<<10), &sent)))
		got := f.post(c.path, c.body(model, stream))
		if parse(t, got.body); got.status != 500 || len(got.body) > 4<<10 {
			t.Errorf("%d, %d bytes: %.300s", got.status, len(got.body), got.body)
		}
		until(t, "the upstream to be left", func() bool { return f.Active() == 0 })
		if sent.Load() > 16*mib {
			t.Errorf("%d MiB were taken", sent.Load()/mib)
		}
	})
}
