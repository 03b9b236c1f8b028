package presenter

import (
	"maps"
	"slices"
	"strings"

	"apex-ai-proxy/app/client"
	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/ui/words"
)

// Models that clients are set up with before the user has chosen one: a real one, and one
// that answers without an account.
const (
	firstModel = "claude-sonnet-4-5#anthropic"
	demoModel  = "echo#demo"
)

// keyStandIn is shown where a copy has the local key.
const keyStandIn = "LOCAL_KEY"

// Clients is the page that tells how to set clients up. It remembers what was chosen as
// long as the program runs.
type Clients struct {
	all     []client.Client
	os      client.OS
	query   string
	chosen  string         // a client's id
	variant map[string]int // by client
	model   string         // "" until the user chooses one
}

// NewClients is the page for a system, by Go's name for it.
func NewClients(os string) *Clients {
	c := &Clients{all: client.For(client.OS(os)), os: client.OS(os), variant: map[string]int{}}
	c.chosen = c.all[0].ID
	return c
}

// ClientRow is a line of the list: a client, or the heading above some.
type ClientRow struct {
	ID   string // "" for a heading
	Text string
}

// Search limits the list to clients whose name, kind, protocol or files hold all words of
// a text. When the chosen one is not among them, the first one is chosen.
func (c *Clients) Search(text string) {
	c.query = text
	rows := c.Rows()
	if len(rows) > 0 && !slices.ContainsFunc(rows, func(r ClientRow) bool { return r.ID == c.chosen }) {
		c.chosen = rows[1].ID // the first one is a heading
	}
}

// Query is what is searched for.
func (c *Clients) Query() string { return c.query }

// Rows are the lines of the list. Each heading has at least one client below it.
func (c *Clients) Rows() []ClientRow {
	var rows []ClientRow
	for _, k := range client.Kinds {
		first := true
		for i := range c.all {
			if c.all[i].Kind != k || !found(&c.all[i], c.query) {
				continue
			}
			if first {
				rows = append(rows, ClientRow{Text: kindName(k)})
				first = false
			}
			rows = append(rows, ClientRow{ID: c.all[i].ID, Text: c.all[i].Name})
		}
	}
	return rows
}

func found(c *client.Client, query string) bool {
	var text strings.Builder
	for _, s := range []string{c.Name, c.ID, string(c.Kind), kindName(c.Kind)} {
		text.WriteString(s + "\n")
	}
	for _, p := range c.Protocols {
		text.WriteString(string(p) + "\n")
	}
	for _, v := range c.Variants {
		text.WriteString(v.Name + "\n" + words.Of(v.Name) + "\n")
	}
	all := strings.ToLower(text.String())
	for _, w := range strings.Fields(strings.ToLower(query)) {
		if !strings.Contains(all, w) {
			return false
		}
	}
	return true
}

func kindName(k client.Kind) string {
	switch k {
	case client.CommandLine:
		return words.T("Command line")
	case client.Editor:
		return words.T("Editors")
	case client.Desktop:
		return words.T("Apps")
	case client.SDK:
		return words.T("SDKs")
	default:
		return words.T("Terminal")
	}
}

// Chosen is the id of the chosen client.
func (c *Clients) Chosen() string { return c.chosen }

// Choose chooses a client by its id.
func (c *Clients) Choose(id string) {
	if c.find(id) != nil {
		c.chosen = id
	}
}

// Step is the row of the client that is a number of clients away from the chosen one, no
// further than the ends of the list. It is -1 in an empty list.
func (c *Clients) Step(n int) int {
	rows := c.Rows()
	var at []int // rows that are clients
	now := -1
	for i, r := range rows {
		if r.ID == "" {
			continue
		}
		if r.ID == c.chosen {
			now = len(at)
		}
		at = append(at, i)
	}
	if len(at) == 0 {
		return -1
	}
	return at[min(max(now+n, 0), len(at)-1)]
}

// ChooseVariant chooses one of the ways to set the chosen client up.
func (c *Clients) ChooseVariant(i int) { c.variant[c.chosen] = i }

// Model is the model to set clients up with: the one that the user has chosen, or one that
// answers with these settings.
func (c *Clients) Model(s settings.Settings) string {
	switch {
	case c.model != "":
		return c.model
	case setUp(s):
		return firstModel
	default:
		return demoModel
	}
}

// SetModel chooses a model. Without one, the model is again one that answers.
func (c *Clients) SetModel(model string) { c.model = strings.TrimSpace(model) }

// ClientCard is what the page tells about the chosen client.
type ClientCard struct {
	ID        string
	Name      string
	Protocols string
	Note      string // an obstacle, one sentence, or ""
	Problem   string // why nothing can be copied, or what else is to be done; or ""
	Start     bool   // starting the proxy would help
	NeedModel bool
	Tiers     string // which models the client gets, when it asks by tier; or ""
	Variants  []string
	Variant   int
	Steps     []string
	File      string   // where the snippet belongs; "" when that is no file
	Lines     []string // the snippet as it is shown; none when there is none
	Fields    []client.Field
	HidesKey  bool // what is copied holds the key that is not shown
}

// Card tells how to set the chosen client up with the proxy of now. Nothing in it holds
// the local key.
func (c *Clients) Card(st Status, s settings.Settings, key string) ClientCard {
	p := c.find(c.chosen)
	_, needsModel := p.Uses()
	card := ClientCard{ID: p.ID, Name: p.Name, Note: words.Of(p.Note)}
	for i, proto := range p.Protocols {
		if i > 0 {
			card.Protocols += ", "
		}
		card.Protocols += string(proto)
	}
	if len(p.Variants) == 0 {
		return card
	}
	in, ready := c.input(st, s, key)
	card.Problem, card.Start = trouble(st, ready)
	if !ready {
		return card
	}
	card.NeedModel = needsModel
	if p.Tiers {
		card.Tiers = tierChoice(s)
	}
	for i := range p.Variants {
		card.Variants = append(card.Variants, words.Of(p.Variants[i].Name))
	}
	v := c.way(p)
	card.Variant = c.variant[p.ID]
	for _, step := range v.Steps {
		card.Steps = append(card.Steps, words.Of(step))
	}
	card.File = v.File.On(c.os)
	in.Key = keyStandIn
	if text := v.Text(in); text != "" {
		card.Lines = strings.Split(strings.ReplaceAll(text, "\t", "    "), "\n")
	}
	card.Fields = v.Fields(in)
	card.HidesKey = v.ShowsKey()
	return card
}

// tierChoice says which models a client gets that asks by tier.
func tierChoice(s settings.Settings) string {
	var chosen []string
	for _, t := range settings.Tiers() {
		if len(s.TierTargets(t)) > 0 {
			chosen = append(chosen, tierTitle(t))
		}
	}
	switch len(chosen) {
	case 0:
		return words.T("Claude Code asks by tier: Opus, Sonnet, Haiku or Fable. All of them get this model unless you choose another on the Models page.")
	case len(settings.Tiers()):
		return words.T("Claude Code asks for models by tier. Choose the model for each on the Models page; this also works after you have copied this.")
	default:
		return words.F("Claude Code asks for models by tier. The Models page sets the models for {{.Tiers}}; the others get the model above.", words.V{"Tiers": listed(chosen)})
	}
}

// trouble says what has to be done before a client can connect.
func trouble(st Status, ready bool) (problem string, start bool) {
	_, action, enabled := Switch(st.State)
	start = action == StartProxy && enabled
	switch {
	case st.State == Running && ready:
		return "", false
	case !ready && start:
		return words.T("The address and the local key are known once the proxy runs. Start it first."), true
	case start:
		return words.T("The proxy does not run. Start it before you use the client."), true
	case ready:
		return "", false // it is about to run
	default:
		return words.T("The address and the local key are known once the proxy runs."), false
	}
}

// Copied is the snippet with the local key, "" when there is none.
func (c *Clients) Copied(st Status, s settings.Settings, key string) string {
	p := c.find(c.chosen)
	in, ready := c.input(st, s, key)
	if !ready || len(p.Variants) == 0 {
		return ""
	}
	return c.way(p).Text(in)
}

// CopiedField is the value of a field with the local key, "" when there is none.
func (c *Clients) CopiedField(i int, st Status, s settings.Settings, key string) string {
	p := c.find(c.chosen)
	in, ready := c.input(st, s, key)
	if !ready || len(p.Variants) == 0 {
		return ""
	}
	if f := c.way(p).Fields(in); i < len(f) {
		return f[i].Value
	}
	return ""
}

// input is what snippets are made of; it is ready when all of it is known.
func (c *Clients) input(st Status, s settings.Settings, key string) (in client.Input, ready bool) {
	urls := BaseURLs(st.Addr)
	in = client.Input{OpenAI: urls.OpenAI, Anthropic: urls.Anthropic, Key: key, Model: c.Model(s), Tiers: map[string]string{}}
	for _, t := range settings.Tiers() {
		if len(s.TierTargets(t)) > 0 {
			in.Tiers[string(t)] = t.Name() // so that another choice in Models needs no change in the client
		}
	}
	return in, urls.OpenAI != "" && key != ""
}

func (c *Clients) find(id string) *client.Client {
	for i := range c.all {
		if c.all[i].ID == id {
			return &c.all[i]
		}
	}
	return nil
}

// way is the chosen variant of a client.
func (c *Clients) way(p *client.Client) *client.Variant {
	return &p.Variants[min(c.variant[p.ID], len(p.Variants)-1)]
}

// ModelGroup are models of one provider, by the names that requests use.
type ModelGroup struct {
	Provider string // or what the user's own names are called
	Models   []string
}

// ModelGroups sorts models by their providers, in the order in which they come, after the
// names that the user has given to some.
func ModelGroups(models []string, s settings.Settings) []ModelGroup {
	var groups []ModelGroup
	own := slices.DeleteFunc(slices.Sorted(maps.Keys(s.Aliases)), func(n string) bool { return strings.Contains(n, "*") })
	if len(own) > 0 {
		groups = append(groups, ModelGroup{words.T("Aliases"), own})
	}
	for _, m := range models {
		provider := m[strings.LastIndex(m, "#")+1:]
		i := slices.IndexFunc(groups, func(g ModelGroup) bool { return g.Provider == provider })
		if i < 0 {
			i, groups = len(groups), append(groups, ModelGroup{Provider: provider})
		}
		groups[i].Models = append(groups[i].Models, m)
	}
	return groups
}
