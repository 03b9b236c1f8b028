package readme

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/demo"
	"apex-ai-proxy/proxy/provider"
)

// TestLinks follows the links to files and headings.
func TestLinks(t *testing.T) {
	text := load(t)
	var anchors []string
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			anchor := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(strings.TrimSpace(title)), "")
			anchors = append(anchors, strings.ReplaceAll(anchor, " ", "-"))
		}
	}
	links := regexp.MustCompile(`\]\(([^)]+)\)`).FindAllStringSubmatch(text, -1)
	if len(links) < 5 {
		t.Fatalf("only %d links found", len(links))
	}
	for _, link := range links {
		to := link[1]
		if anchor, ok := strings.CutPrefix(to, "#"); ok {
			if !slices.Contains(anchors, anchor) {
				t.Errorf("no heading for %s; there are %v", to, anchors)
			}
		} else if !strings.HasPrefix(to, "https://") {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(to))); err != nil {
				t.Errorf("the link %s: %v", to, err)
			}
		}
	}
}

// TestFolders looks for the folders of the table.
func TestFolders(t *testing.T) {
	for _, row := range rows(t, load(t), "folder | what is in it") {
		for _, name := range strings.Split(row[0], ", ") {
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(name))); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestProviders compares the table of providers with the program's.
func TestProviders(t *testing.T) {
	want := map[string]provider.Provider{}
	for _, p := range provider.All() {
		want[p.Slug] = p
	}
	for _, row := range rows(t, load(t), "provider | example") {
		p, ok := want[row[0]]
		if !ok {
			t.Errorf("%s is listed and is no provider", row[0])
			continue
		}
		delete(want, p.Slug)
		route, err := provider.Resolve(row[1])
		if err != nil || route.Provider.Slug != p.Slug {
			t.Errorf("the example %s leads to %s, %v", row[1], route.Provider.Slug, err)
		}
		model := strings.TrimSuffix(row[1], "#"+p.Slug)
		if len(p.Models) > 0 && !slices.Contains(p.Models, model) {
			t.Errorf("the example %s is not among the models that are offered: %v", row[1], p.Models)
		}
		spoken := map[bool]string{true: "OpenAI"}[p.Chat != "" || p.Responses != ""]
		if p.Messages != "" {
			spoken = map[string]string{"": "Anthropic", "OpenAI": "both"}[spoken]
		}
		if first, _, _ := strings.Cut(row[2], ","); first != spoken {
			t.Errorf("%s is said to speak %s, it speaks %s", p.Slug, first, spoken)
		}
		header := strings.ToLower(strings.TrimSpace(p.Key.Name + ": " + p.Key.Prefix))
		header = strings.TrimSuffix(header, ":")
		if first, _, _ := strings.Cut(row[3], ","); p.Key.Name != "" && strings.ToLower(first) != header {
			t.Errorf("the key of %s is said to be in %q, it is in %q", p.Slug, first, header)
		}
	}
	for slug := range want {
		t.Errorf("%s is missing", slug)
	}
}

// TestTiers compares the table of slots with the program's, and the examples with what it
// makes of them.
func TestTiers(t *testing.T) {
	text := load(t)
	slots := map[string]string{}
	for _, row := range rows(t, text, "tier | stands for") {
		slots[row[0]] = row[1]
	}
	s := settings.Default()
	for _, tier := range settings.Tiers() {
		names := slices.Sorted(maps.Keys(s.WithTier(tier, "gpt-5#openai").AliasTargets()))
		want := names[1] + " and every " + names[0]
		if got := slots[string(tier)]; got != want && !strings.HasPrefix(got, want+",") {
			t.Errorf("%s is said to stand for %s, it stands for %s", tier, got, want)
		}
	}
	if len(slots) != len(settings.Tiers()) {
		t.Errorf("%d slots are listed", len(slots))
	}
	for _, block := range blocks(text, "toml") {
		if !strings.Contains(block, "[aliases]") && !strings.Contains(block, "[claude]") {
			continue
		}
		path := filepath.Join(t.TempDir(), "settings.toml")
		if err := os.WriteFile(path, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		s, notices, err := settings.Load(path)
		if err != nil || len(notices) > 0 {
			t.Errorf("%s\n%v %v", block, notices, err)
		}
		for name, models := range s.AliasTargets() {
			for _, m := range models {
				if _, err := provider.Resolve(m); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
	}
}

// TestDemoModels compares the table of demo models with the program's.
func TestDemoModels(t *testing.T) {
	var listed []string
	for _, row := range rows(t, load(t), "model | what it does") {
		listed = append(listed, strings.Split(row[0], ", ")...)
	}
	want := demo.Models()
	slices.Sort(listed)
	slices.Sort(want)
	if !slices.Equal(listed, want) {
		t.Errorf("listed are %v, there are %v", listed, want)
	}
}

// TestEmbeddings compares the list of providers that have embeddings with the program's.
func TestEmbeddings(t *testing.T) {
	_, list, ok := strings.Cut(load(t), "Embeddings are passed through to the providers that offer them in OpenAI's protocol: ")
	if !ok {
		t.Fatal("no list")
	}
	list, _, _ = strings.Cut(list, "\n")
	var want []string
	for _, p := range provider.All() {
		if p.Embeddings != "" {
			want = append(want, "`"+p.Slug+"`")
		}
	}
	if strings.TrimSuffix(list, ".") != strings.Join(want, ", ") {
		t.Errorf("listed are %s, there are %v", list, want)
	}
}
