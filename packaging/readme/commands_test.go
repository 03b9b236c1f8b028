package readme

import (
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"apex-ai-proxy/app/settings"
	"apex-ai-proxy/proxy/provider"
)

// TestHelp compares the tables of flags and exit codes with what the program prints.
func TestHelp(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), build(t), "serve", "--help")
	cmd.Env = environment(t)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	help, text := unfolded(string(out)), load(t)

	flags := map[string]string{}
	pairs := regexp.MustCompile(`(?m)^  (--[a-z-]+).*\nenvironment: (\w+)$`).FindAllStringSubmatch(help, -1)
	for _, m := range pairs {
		flags[m[1]] = m[2]
	}
	if len(flags) < 5 {
		t.Fatalf("only %d flags found in\n%s", len(flags), help)
	}
	for _, row := range rows(t, text, "flag | environment") {
		flag, env := row[0], row[1]
		switch {
		case flag == "":
			env, _, _ = strings.Cut(env, " ")
			if name := strings.TrimSuffix(env, "OPENAI"); !strings.Contains(help, name) {
				t.Errorf("the help does not know %s", env)
			}
		case flags[flag] != env:
			t.Errorf("%s goes with %q, the README says %q", flag, flags[flag], env)
		}
		delete(flags, flag)
	}
	for flag := range flags {
		t.Errorf("%s is missing", flag)
	}

	var codes, listed []string
	for _, m := range regexp.MustCompile(`(?m)^  (\d)  (.*)$`).FindAllStringSubmatch(help, -1) {
		codes = append(codes, m[1]+" "+m[2])
	}
	for _, row := range rows(t, text, "exit code | meaning") {
		listed = append(listed, row[0]+" "+row[1])
	}
	if len(codes) == 0 || !slices.Equal(codes, listed) {
		t.Errorf("the exit codes are %q, the README says %q", codes, listed)
	}
}

// unfolded is help with each flag, variable and exit code on a line of its own.
func unfolded(help string) string {
	help = regexp.MustCompile(`\n {5,}environment:`).ReplaceAllString(help, "\nenvironment:")
	return regexp.MustCompile(`\n {5,}`).ReplaceAllString(help, " ")
}

// TestSettingsFile reads the settings file of the README as the program does.
func TestSettingsFile(t *testing.T) {
	text := load(t)
	files := slices.DeleteFunc(blocks(text, "toml"), func(b string) bool { return !strings.Contains(b, "[gateway]") })
	if len(files) != 1 {
		t.Fatalf("%d settings files", len(files))
	}
	path := filepath.Join(t.TempDir(), "settings.toml")
	if err := os.WriteFile(path, []byte(files[0]), 0o600); err != nil {
		t.Fatal(err)
	}
	s, notices, err := settings.Load(path)
	if err != nil || len(notices) > 0 {
		t.Fatal(notices, err)
	}
	var names []string
	for _, p := range provider.All() {
		names = append(names, p.Slug)
	}
	if err := s.Validate(names); err != nil {
		t.Error(err)
	}
	if s.Providers["openai"].Key != settings.KeyOwn || len(s.Server.Origins) != 1 || s.Gateway.ID != "my-gateway" || len(s.AliasTargets()["claude-*"]) != 2 {
		t.Errorf("read as %+v", s)
	}

	var fields []string
	for _, row := range rows(t, text, "flag | environment") {
		if row[2] != "" {
			fields = append(fields, row[2])
		}
	}
	want := []string{
		settings.FieldAccount, settings.FieldGateway, settings.FieldGatewayURL, settings.FieldAzureResource,
		settings.FieldAzureAPIVersion, settings.FieldListen, settings.FieldUpstreamTimeout,
		settings.FieldStreamIdleTimeout, settings.FieldRetries, settings.FieldDebug,
	}
	if !slices.Equal(fields, want) {
		t.Errorf("the fields are %v, the README says %v", want, fields)
	}
}

// TestSettingsOfTheFile: every other setting is in the README's second table, by the name
// that it has in the file.
func TestSettingsOfTheFile(t *testing.T) {
	text := load(t)
	var said []string
	for _, row := range rows(t, text, "flag | environment") {
		said = append(said, row[2])
	}
	for _, row := range rows(t, text, "in the settings file | meaning") {
		said = append(said, row[0])
	}
	var there []string
	for _, section := range reflect.VisibleFields(reflect.TypeFor[settings.Settings]()) {
		name, _, _ := strings.Cut(section.Tag.Get("toml"), ",")
		if section.Type.Kind() != reflect.Struct {
			continue // version, and the sections with names of the user's own, which have their chapters
		}
		for _, f := range reflect.VisibleFields(section.Type) {
			there = append(there, name+"."+f.Tag.Get("toml"))
		}
	}
	slices.Sort(said)
	slices.Sort(there)
	if said = slices.DeleteFunc(said, func(s string) bool { return s == "" }); !slices.Equal(said, there) {
		t.Errorf("the settings are\n%v, the README says\n%v", there, said)
	}
}
