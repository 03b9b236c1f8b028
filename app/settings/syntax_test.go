package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestSyntaxErrors: a file that is not TOML is left as it is, and the error names the place
// and what is probably wrong.
func TestSyntaxErrors(t *testing.T) {
	const account = "0123456789abcdef0123456789abcdef"
	for name, tc := range map[string]struct {
		text         string
		line, column int
		why          string
	}{
		"address":        {"version = 1\n[server]\nlisten = 127.0.0.1:8787\n", 3, 10, `text must be in quotes: listen = "127.0.0.1:8787"`},
		"account":        {"[gateway]\naccount = " + account + "\n", 2, 11, `text must be in quotes: account = "` + account + `"`},
		"time":           {"[server]\r\nupstream_timeout =   5m # long\r\n", 2, 22, `text must be in quotes: upstream_timeout = "5m"`},
		"model":          {"[aliases]\nfast = gpt-5#openai", 2, 8, `text must be in quotes: fast = "gpt-5#openai"`},
		"one quote":      {"[gateway]\nid = my-gateway'\n", 2, 6, `text must be in quotes: id = "my-gateway"`},
		"nothing":        {"version = \n", 1, 11, "the value after = is missing"},
		"comment only":   {"version = # one\n", 1, 11, "the value after = is missing"},
		"no name":        {"= 3\n", 1, 1, "a name is missing before ="},
		"no equals sign": {"[server]\nlisten \"x\"\n", 2, 8, `write it as name = "value"`},
		"colon":          {"[server]\nlisten: \"x\"\n", 2, 7, `write it as name = "value"`},
		"section":        {"version = 1\n[gateway\nid = 'g'\n", 2, 9, "a section is written as [gateway], on a line of its own"},
		"doubled key":    {"version = 1\nversion = 1\n", 2, 1, "key version is already defined above; remove one of the two"},
		"doubled table":  {"[server]\n[app]\n[server]\n", 3, 2, "table server already exists above; remove one of the two"},
		"value, section": {"server = 'x'\n[server]\ndebug = true", 2, 2, "the name is a value above and a section here; keep one of the two"},
		"open quote":     {"[gateway]\nid = \"abc\nurl = 'x'\n", 2, 10, "the closing quote is missing"},
		"cut in the mid": {"version = 1\n[gateway]\nid = 'abc", 3, 9, "the closing quote is missing"},
		"open text":      {"[gateway]\nid = '''\nabc\n", 3, 4, "the closing quotes are missing"},
		"backslash":      {"[gateway]\nid = \"C:\\dir\"\n", 2, 9, `in double quotes, \ is written as \\; in single quotes it stays as it is, as in 'C:\folder'`},
		"quote inside":   {"[gateway]\nid = \"say \"hi\"\"\n", 2, 12, `a value ends at its closing quote; write \" for a quote inside of it, and each setting on a line of its own`},
		"two on a line":  {"[gateway]\nid = 'a' url = 'b'\n", 2, 10, `a value ends at its closing quote; write \" for a quote inside of it, and each setting on a line of its own`},
		"comma":          {"[captures]\nmemory = 3,\n", 2, 11, "only a comment may follow a value on its line, no comma"},
		"comma, text":    {"[gateway]\nid = 'g',\n", 2, 9, "only a comment may follow a value on its line"},
		"True":           {"[server]\ndebug = True\n", 2, 9, "write true or false, in small letters"},
		"yes":            {"[server]\ndebug = yes # please\n", 2, 9, "write true or false, in small letters"},
		"typeset":        {"[gateway]\nid = “g”\n", 2, 6, `use straight quotes, " or '`},
		"name":           {"[aliases]\nclaude-*-haiku = 'x'\n", 2, 8, `a name with other characters than letters, digits, - and _ must be in quotes, as in "claude-*-haiku" = …`},
		"open list":      {"[server]\norigins = ['a', 'b'\ndebug = true\n", 3, 1, "a comma between two values, or the closing ] of a list, is missing before this place"},
		"list of texts":  {"[server]\norigins = [https://a.example]\n", 2, 12, `texts in a list must be in quotes, as in ["first", "second"]`},
		"open table":     {"[providers]\nopenai = {key = 'own'\n", 2, 22, "the closing } is missing"},
		"binary":         {"\x00\x01\x02", 1, 1, "this is not UTF-8 text; save the file as UTF-8"},
		"other encoding": {"[gateway]\nid = \"\xff\"\n", 2, 7, "this is not UTF-8 text; save the file as UTF-8"},
		"wide letters":   {"[aliases]\n'模型' = gpt-5\n", 2, 8, `text must be in quotes: '模型' = "gpt-5"`},
		"editor's mark":  {"\xef\xbb\xbfversion = x\n", 1, 11, `text must be in quotes: version = "x"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "settings.toml")
			write(t, path, tc.text)
			got, notices, err := Load(path)
			var e *SyntaxError
			if !errors.As(err, &e) || notices != nil || !reflect.DeepEqual(got, Default()) {
				t.Fatalf("got %+v, %v, %v", got, notices, err)
			}
			if e.Path != path || e.Line != tc.line || e.Column != tc.column || e.Why.String() != tc.why {
				t.Errorf("%s, line %d, column %d: %s\nwant line %d, column %d: %s", e.Path, e.Line, e.Column, e.Why, tc.line, tc.column, tc.why)
			}
			if data, _ := os.ReadFile(path); string(data) != tc.text {
				t.Errorf("the file is now %q", data)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("the folder holds %v", entries)
			}
		})
	}
}

// TestSyntaxErrorsShowNoSecrets: the line is shown where settings hold none, elsewhere not
// all of it.
func TestSyntaxErrorsShowNoSecrets(t *testing.T) {
	const secret = "sk-abcdefghijklmnop0123"
	for text, shown := range map[string]string{
		"[server]\nlisten = 127.0.0.1:1":                  "listen = 127.0.0.1:1",
		"[gateway]\n\tid = my gateway\n":                  " id = my gateway",
		"[claude]\nopus = gpt-5#openai\n":                 "opus = gpt-5#openai",
		"[gateway]\ntoken = " + secret:                    "token = …",
		"[providers.openai]\nkey = " + secret:             "key = …",
		"[providers]\nopenai = " + secret:                 "openai = …",
		"[providers]\nopenai = \"" + secret:               "openai = …",
		"[gateway]\ntoken: " + secret:                     "token: …",
		"[gateway]\n" + secret:                            "…",
		"[gateway]\n" + secret + " = \n":                  "… = …",
		"[server]\nlisten = a\x1b[31mb\x00\n":             "listen = a?[31mb?",
		"[server]\nsomething else altogether":             "something else altogether",
		"[gateway]\nAuthorization = Bearer abc":           "Authorization = …",
		"[gateway]\naccount = " + secret:                  "account = …",
		"[gateway]\naccount = \"" + secret:                "account = …",
		"[gateway]\nid = " + secret + "\n":                "id = …",
		"[server]\nlisten = " + secret:                    "listen = …",
		"[aliases]\nfast = " + secret:                     "fast = …",
		"[aliases]\n" + secret + "! = 'x'":                "… = …",
		"[gateway]\nurl = https://me:" + secret + "@host": "url = …",
		"[" + secret: "[…",
	} {
		_, _, err := current.decode([]byte(text))
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if e.Text != shown || strings.Contains(e.Error()+e.Why.String(), secret) || e.Column > len(shown)+1 {
			t.Errorf("%q shows %q, column %d, %s", text, e.Text, e.Column, e.Why)
		}
	}
}

// TestProblemsShowNoSecrets: what is said about a value or a name that is in the wrong place
// does not repeat it.
func TestProblemsShowNoSecrets(t *testing.T) {
	const secret = "sk-abcdefghijklmnop0123"
	for _, text := range []string{
		"[gateway]\n" + secret + " = 'x'",
		"[" + secret + "]\nx = 1",
		"[gateway]\naccount = '" + secret + "'",
		"[gateway]\nid = '" + secret + "/'",
		"[gateway]\nurl = '" + secret + "'",
		"[server]\nlisten = '" + secret + "'",
		"[server]\nupstream_timeout = '" + secret + "'",
		"[server]\norigins = ['" + secret + "']",
		"[providers." + secret + "]\nkey = 'own'",
		"[providers.openai]\nkey = '" + secret + "'",
		"[claude]\n" + secret + " = 'gpt-5#openai'",
		"[aliases]\nfast = '" + secret + "'\n" + secret + " = 'x'",
		"[aliases]\n" + secret + " = 5",
		"[azure]\nresource = '" + secret + "!'",
	} {
		s, notices, err := current.decode([]byte(text))
		said := fmt.Sprint(notices, err, s.Validate([]string{"openai"}))
		if strings.Contains(said, secret) {
			t.Errorf("%q: %s", text, said)
		}
	}
}

func TestMasked(t *testing.T) {
	for word, want := range map[string]string{
		"sk-abcdefghijklmnop0123":                             hidden,
		"sk-ant-api03-Zz_9":                                   hidden,
		"apx-N0tAR3alKeyButLikeOne":                           hidden,
		"gsk_4bcdefgh1jkl":                                    hidden,
		"AIzaSyMadeUpMadeUp":                                  hidden,
		"0123456789abcdef0123456789abcdef":                    hidden,
		"aB3_dE6-gH9_jK2-mN5_pQ8-sT1_vW4":                     hidden,
		"https://me:pass@host/v1":                             hidden,
		"claude-opus-4-1-20250805#anthropic":                  "",
		"@cf/meta/llama-3.3-70b-instruct-fp8-fast#workers-ai": "",
		"accounts/fireworks/models/deepseek-v3p1-terminus":    "",
		"https://gateway.ai.cloudflare.com/v1":                "",
		"https://resource-of-mine.openai.azure.com":           "",
		"server.stream_idle_timeout":                          "",
		"notifications.failed_start":                          "",
		"vscode-webview://*":                                  "",
		"127.0.0.1:8787":                                      "",
		"key = \"stored\", never elsewhere":                   "",
		"fast = sk-abcdefghijklmnop0123 # mine":               "fast = … # mine",
	} {
		if want == "" {
			want = word
		}
		if got := Masked(word); got != want {
			t.Errorf("%q becomes %q, want %q", word, got, want)
		}
	}
}
