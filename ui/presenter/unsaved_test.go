package presenter

import (
	"strings"
	"testing"
)

func TestAskUnsaved(t *testing.T) {
	s := namedSettings()
	for name, c := range map[string]struct {
		account string // typed into the form
		model   string // typed as the default model
		secret  bool
		ask     bool
		savable bool
		says    string
	}{
		"nothing":         {},
		"settings":        {account: strings.Repeat("a", 32), ask: true, savable: true, says: "Changes in Settings"},
		"models":          {model: "echo#demo", ask: true, savable: true, says: "Changes in Models are"},
		"both":            {account: strings.Repeat("a", 32), model: "echo#demo", ask: true, savable: true, says: "Models and in Settings"},
		"wrong settings":  {account: "x", ask: true, says: "cannot be saved"},
		"wrong models":    {model: "gpt-*#openai", ask: true, says: "cannot be saved"},
		"a token":         {secret: true, ask: true, savable: true, says: "not stored"},
		"a token and all": {secret: true, model: "echo#demo", ask: true, savable: true, says: "saved. A token"},
	} {
		t.Run(name, func(t *testing.T) {
			form, models := NewForm(s, nil, []string{"openai"}), newModels(s)
			if c.account != "" {
				form.SetText(FieldAccount, c.account)
			}
			if c.model != "" {
				models.SetDefault(c.model)
			}
			q, ask := AskUnsaved(form, models, c.secret)
			if ask != c.ask || q.Savable != c.savable || !strings.Contains(q.Text, c.says) {
				t.Errorf("asks %t: %+v", ask, q)
			}
		})
	}
}
