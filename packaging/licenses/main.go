// Command licenses writes assets/licenses/licenses.txt: what of others is linked into the
// program, on any of the three systems, and under which licenses. Run it from the root:
//
//	go run ./packaging/licenses
//
// The licenses demand that their texts go along with the program.
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const file = "assets/licenses/licenses.txt"

func main() {
	text, err := notices(".")
	if err == nil {
		err = os.WriteFile(file, text, 0o644) //nolint:gosec // it is part of the source
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "licenses:", err)
		os.Exit(1)
	}
}

// systems are those that the program is built for, with its window.
var systems = []string{"linux", "darwin", "windows"}

// module is one that is linked in.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module

	folders map[string]bool // of its packages that are used
}

// linked are the modules whose packages are part of the program on any system.
func linked(root string) ([]*module, error) {
	found := map[string]*module{}
	for _, system := range systems {
		cmd := exec.CommandContext(context.Background(), "go", "list", "-deps", "-json=Dir,Module", ".")
		cmd.Dir = root
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list the packages for %s: %w\n%s", system, err, stderr.String())
		}
		for dec := json.NewDecoder(bytes.NewReader(out)); ; {
			var pkg struct {
				Dir    string
				Module *module
			}
			if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("read the list for %s: %w", system, err)
			}
			if m := pkg.Module; m != nil && !m.Main {
				if m.Replace != nil {
					return nil, fmt.Errorf("%s is replaced: its license cannot be told", m.Path)
				}
				if found[m.Path] == nil {
					m.folders = map[string]bool{}
					found[m.Path] = m
				}
				found[m.Path].folders[pkg.Dir] = true
			}
		}
	}
	all := make([]*module, 0, len(found))
	for _, m := range found {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b *module) int { return cmp.Compare(a.Path, b.Path) })
	return all, nil
}

// isLicense tells by its name whether a file is a license or a notice that must go along.
var isLicense = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|ofl)([-._][a-z0-9._-]+)?$|(?i)-license(\.txt|\.md)?$`)

// license is a file of a module.
type license struct {
	name string // from the module's folder, with slashes
	text string
}

// licenses are those of a module that concern the program: of the folders of its packages,
// of those around them, and of what lies below them and is no package, as fonts and C code.
func (m *module) licenses() (found []license, err error) {
	err = filepath.WalkDir(m.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != m.Dir && (d.Name() == "testdata" || !m.concerns(path)) {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() || !isLicense.MatchString(d.Name()) || strings.HasSuffix(d.Name(), ".go") {
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // G122: nobody else writes to the cache of modules
		if err != nil {
			return err
		}
		name, err := filepath.Rel(m.Dir, path)
		found = append(found, license{filepath.ToSlash(name), tidy(string(text))})
		return err
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("%s has no license file", m.Path)
	}
	return found, err
}

// concerns tells whether a folder of the module holds something of the program: it leads to a
// package that is used, or lies in one.
func (m *module) concerns(dir string) bool {
	for used := range m.folders {
		if within(used, dir) || used != m.Dir && within(dir, used) || used == m.Dir && !hasGo(dir) {
			return true
		}
	}
	return false
}

func within(path, dir string) bool {
	return path == dir || strings.HasPrefix(path, dir+string(filepath.Separator))
}

func hasGo(dir string) bool {
	found, _ := filepath.Glob(filepath.Join(dir, "*.go"))
	return len(found) > 0
}

// tidy is a text as it stands in the list: with Unix line ends and no space at the ends.
func tidy(s string) string {
	lines := strings.Split(strings.ReplaceAll(strings.TrimPrefix(s, "\ufeff"), "\r", ""), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t\f")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// kinds are licenses by words of their texts, the first that fits counts.
var kinds = []struct{ id, words string }{
	{"Apache-2.0", "Apache License"},
	{"OFL-1.1", "SIL OPEN FONT LICENSE Version 1.1"},
	{"MPL-2.0", "Mozilla Public License"},
	{"Bitstream-Vera", "Bitstream Vera"},
	{"ISC", "Permission to use, copy, modify, and/or distribute this software"},
	{"ISC", "Permission to use, copy, modify, and distribute this software"},
	{"Zlib", "This software is provided 'as-is', without any express or implied warranty"},
	{"BSD-3-Clause", "Neither the name"},
	{"BSD-3-Clause", "names of its contributors"},
	{"BSD-2-Clause", "Redistributions in binary form"},
	{"Unlicense OR MIT", "free and unencumbered software released into the public domain"},
	{"MIT", "Permission is hereby granted, free of charge"},
	{"GPL", "GNU GENERAL PUBLIC LICENSE"},
}

// kind is what license a text is, "" when nobody knows.
func kind(text string) string {
	plain := strings.ToLower(strings.Join(strings.Fields(text), " "))
	for _, k := range kinds {
		if strings.Contains(plain, strings.ToLower(k.words)) {
			return k.id
		}
	}
	return ""
}

// goAuthors is a module whose license is that of Go itself, whose library is in every program.
// Go's own file is missing where a system's packages brought it.
const goAuthors = "golang.org/x/text"

// notices is the whole list.
func notices(root string) ([]byte, error) {
	modules, err := linked(root)
	if err != nil {
		return nil, err
	}
	var list, texts bytes.Buffer
	add := func(name string, licenses []license) error {
		var ids []string
		for _, l := range licenses {
			id := kind(l.text)
			if id == "" && strings.EqualFold(l.name, "NOTICE") {
				id = "notice"
			}
			if id == "" || id == "GPL" {
				return fmt.Errorf("%s: what is %s? Read it, then teach it to packaging/licenses", name, l.name)
			}
			if id != "notice" && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
			fmt.Fprintf(&texts, "%s\n%s, %s\n\n%s\n", strings.Repeat("=", 80), name, l.name, l.text)
		}
		fmt.Fprintf(&list, "  %-72s %s\n", name, strings.Join(ids, ", "))
		return nil
	}
	for _, m := range modules {
		licenses, err := m.licenses()
		if err != nil {
			return nil, err
		}
		if m.Path == goAuthors {
			if err := add("Go and its standard library", licenses); err != nil {
				return nil, err
			}
		}
		if err := add(m.Path+" "+m.Version, licenses); err != nil {
			return nil, err
		}
	}
	return fmt.Appendf(nil, "Apex AI Proxy is under the MIT license. It contains these works of others, some of them\nonly on one system or only with its window. Their licenses follow.\n\n%s\n%s", list.String(), texts.String()), nil
}
