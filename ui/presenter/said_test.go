package presenter

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/event"
	"apex-ai-proxy/proxy/probe"
	"apex-ai-proxy/proxy/prose"
)

// What a failed exchange says is told in the user's language wherever it is shown, with its
// values, and what the provider said stays as it came.
func TestFailuresAreTold(t *testing.T) {
	text := prose.New("%s could not be reached: %s", "OpenAI", prose.Verbatim("connection refused"))
	x := event.Exchange{
		ID: "a", Revision: 1, Start: time.Now(), Phase: event.Failed, Status: 502, ModelAsked: "m", ErrorKind: "upstream_error",
		Error: text.String(), ErrorText: text,
		Tries: []event.Try{{Why: text.String(), Text: text}},
	}
	const want = "无法连接 OpenAI：connection refused"
	if got := rowOf(&x, time.Now()).Error; got != "OpenAI could not be reached: connection refused" {
		t.Errorf("in English: %q", got)
	}
	speakChinese(t)
	row, d := rowOf(&x, time.Now()), detailOf(&x, time.Now())
	l := NewLog(10)
	l.Apply([]event.Exchange{x})
	for place, got := range map[string]string{
		"the row": row.Error, "the inspector": d.Error, "its copy": d.Text(),
		"the overview": fmt.Sprint(l.Troubles(time.Now(), 1)),
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s: %q", place, got)
		}
	}
	if n := strings.Count(fmt.Sprint(d.Facts), want); n != 1 {
		t.Errorf("the retries: %v", d.Facts)
	}
	if d.Cure != checkNetwork.text() || !chinese(d.Cure) {
		t.Errorf("what to do: %q", d.Cure)
	}
	for word, found := range map[string]bool{"无法连接": true, "reached": true, "nobody": false} {
		if (Filter{Text: word}).matches(&x) != found {
			t.Errorf("filtered by %q: %t", word, !found)
		}
	}
	foreign := prose.New("%s: %s", "messages[0]", prose.Verbatim("is odd"))
	x.ErrorText, x.Error = foreign, foreign.String()
	if d := detailOf(&x, time.Now()); d.Error != "messages[0]：is odd" || !chinese(d.Cure) {
		t.Errorf("a provider's words: %q, %q", d.Error, d.Cure)
	}
}

func TestTell(t *testing.T) {
	cause := errors.New("no space left on device")
	err := fmt.Errorf("and so: %w", prose.Errorf("save settings: %v", cause))
	if got := Tell(err); got != "And so: save settings: no space left on device." || !errors.Is(err, cause) {
		t.Errorf("%q", got)
	}
	speakChinese(t)
	if got := Tell(err); got != "无法保存设置：no space left on device。" {
		t.Errorf("%q", got)
	}
	if got := Tell(cause); got != "No space left on device." {
		t.Errorf("the system's words: %q", got)
	}
	if got := Say(settings.Notice{Line: 3, Text: prose.New("%s is not a setting and is ignored", "x.y")}.Told()); got != "设置文件第 3 行：x.y 不是设置项，已忽略。" {
		t.Errorf("a notice: %q", got)
	}
	invalid := &settings.ValidationError{Problems: []settings.Problem{
		{Field: "a.b", Text: prose.New("write a whole number, without quotes")}, {Field: "c.d", Text: prose.New("leave out the slash at the end")},
	}}
	if got := Tell(invalid); got != "A.b：请写成整数，不加引号；c.d：请去掉末尾的斜杠。" {
		t.Errorf("settings: %q", got)
	}
	f := probe.Finding{Cause: probe.TokenLocked, Said: "the keychain is locked", Told: prose.New("the keychain is locked")}
	if got := Judge(f); !strings.Contains(got.Detail, "钥匙串已锁定") {
		t.Errorf("a test of the connection: %+v", got)
	}
}

func TestBegun(t *testing.T) {
	for s, want := range map[string]string{
		"the key you sent":     "The key you sent",
		"the upstream's words": "The upstream's words",
		"top_k is not known":   "top_k is not known",
		"model: nothing":       "model: nothing",
		"gpt-5 is busy":        "gpt-5 is busy",
		"slow":                 "Slow",
		"已满 1":                 "已满 1",
		" the":                 " the",
		"":                     "",
	} {
		if got := begun(s); got != want {
			t.Errorf("%q became %q", s, got)
		}
	}
}
