package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestEveryRowIsReached makes names out of each pattern: no row may stand in the shadow
// of one above it.
func TestEveryRowIsReached(t *testing.T) {
	table := abilities()
	for i := range table.models {
		row := &table.models[i]
		reached := slices.ContainsFunc([]string{"", "9", "-x"}, func(fill string) bool {
			return modelOf(row.slug, strings.ReplaceAll(row.pattern, "*", fill)) == &row.modelFacts
		})
		if !reached {
			t.Errorf("no name reaches the row %q of %q", row.pattern, row.slug)
		}
	}
	reached := make(map[*modelFacts]bool)
	for _, family := range append(table.claude.families, "other") {
		for version := 100; version < 1000; version++ {
			reached[modelOf("", fmt.Sprintf("claude-%s-%d-%d", family, version/100, version%100))] = true
		}
	}
	for i := range table.claude.rows {
		if !reached[&table.claude.rows[i].modelFacts] {
			t.Errorf("no version reaches row %d of claude", i)
		}
	}
}

// TestRowsMakeSense holds each row to what the codecs rely on.
func TestRowsMakeSense(t *testing.T) {
	order := []string{"none", "minimal", "low", "medium", "high", "xhigh", "max"}
	check := func(name string, f *modelFacts) {
		t.Helper()
		a := &f.ability
		last := -1
		for _, e := range a.Efforts {
			rank := slices.Index(order, e)
			if rank <= last {
				t.Errorf("%s: %v is not sorted from weak to strong", name, a.Efforts)
			}
			last = rank
		}
		if a.Budget && a.Adaptive {
			t.Errorf("%s is asked to think in two ways", name)
		}
		if a.Adaptive && len(a.Efforts) == 0 {
			t.Errorf("%s thinks by an effort, but takes none", name)
		}
	}
	table := abilities()
	for i := range table.models {
		row := &table.models[i]
		check(row.pattern, &row.modelFacts)
		if row.slug != "" && find(row.slug) == nil {
			t.Errorf("%q names the provider %q, which does not exist", row.pattern, row.slug)
		}
		if row.pattern != strings.ToLower(row.pattern) {
			t.Errorf("%q is not in lower case", row.pattern)
		}
	}
	for i := range table.claude.rows {
		check(fmt.Sprintf("row %d of claude", i), &table.claude.rows[i].modelFacts)
	}
}

func TestBadTables(t *testing.T) {
	const unknown = "\n[unknown]\ndate = 2026-11-22\nsources = ['s']\nmodels = [{ match = '*' }]\n"
	const claude = "\n[claude]\ndate = 2026-11-22\nsources = ['s']\nfamilies = ['opus']\nmodels = [{ before = '4.5' }]\n"
	vendor := func(row string) string {
		return "[[vendor]]\nname = 'v'\ndate = 2026-11-22\nsources = ['s']\nmodels = [{ " + row + " }]\n" + unknown + claude
	}
	if _, err := readAbilities(vendor("match = 'a*'")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no pattern":       vendor("schema = true"),
		"broken pattern":   vendor("match = '[a'"),
		"pattern, version": vendor("match = 'a', before = '4.5'"),
		"effort":           vendor("match = 'a', efforts = ['much']"),
		"refusal":          vendor("match = 'a', refuses = ['tools']"),
		"thinking":         vendor("match = 'a', thinking = 'sometimes'"),
		"responses":        vendor("match = 'a', responses = 'never'"),
		"unknown member":   vendor("match = 'a', speed = 3"),
		"no date":          strings.Replace(vendor("match = 'a'"), "date = 2026-11-22", "", 1),
		"no sources":       strings.Replace(vendor("match = 'a'"), "sources = ['s']", "", 1),
		"no version":       strings.Replace(vendor("match = 'a'"), "'4.5'", "'new'", 1),
		"no such family":   strings.Replace(vendor("match = 'a'"), "before = '4.5'", "families = ['bach']", 1),
		"claude pattern":   strings.Replace(vendor("match = 'a'"), "before = '4.5'", "match = 'x'", 1),
	} {
		if _, err := readAbilities(text); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkReadAbilities(b *testing.B) {
	for b.Loop() {
		if _, err := readAbilities(abilitiesFile); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAbilityOf(b *testing.B) {
	for b.Loop() {
		AbilityOf("openai", "gpt-4.1-mini")
		AbilityOf("anthropic", "claude-sonnet-4-5")
	}
}
