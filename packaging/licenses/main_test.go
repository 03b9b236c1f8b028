package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const root = "../.."

// TestTheListIsCurrent makes the list anew and compares.
func TestTheListIsCurrent(t *testing.T) {
	want, err := notices(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	if tidy(string(got)) != tidy(string(want)) {
		t.Errorf("%s is out of date: run go run ./packaging/licenses", file)
	}
	for _, must := range []string{"Go and its standard library ", "github.com/gorilla/mux v", "fyne.io/fyne/v2 v", "glfw/LICENSE.md", "SIL OPEN FONT LICENSE", "Bitstream Vera", "github.com/danieljoos/wincred v"} {
		if !strings.Contains(string(want), must) {
			t.Errorf("%s is missing", must)
		}
	}
	if strings.Contains(string(want), "openai-go") {
		t.Error("something is listed that is not part of the program")
	}
}

func TestFilesThatAreLicenses(t *testing.T) {
	for name, want := range map[string]bool{
		"LICENSE": true, "LICENSE.txt": true, "License.md": true, "LICENCE": true, "COPYING": true, "COPYING.LESSER": true, "NOTICE": true, "LICENSE-MIT": true, "LICENSE_Inter.txt": true, "OFL.txt": true, "inter-LICENSE.txt": true,
		"license_test": true, "README.md": false, "licensing": false, "notices.txt": false, "copyingmachine": false,
	} {
		if got := isLicense.MatchString(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestKindsOfLicenses(t *testing.T) {
	for text, want := range map[string]string{
		"                     Apache License\n   Version 2.0":          "Apache-2.0",
		"Permission is hereby granted,\n free of charge, to":           "MIT",
		"Redistributions in binary form must ... Neither\nthe name of": "BSD-3-Clause",
		"Redistributions in binary form must":                          "BSD-2-Clause",
		"GNU GENERAL PUBLIC LICENSE":                                   "GPL",
		"You may do as you please.":                                    "",
	} {
		if got := kind(text); got != want {
			t.Errorf("%q is %q", text, got)
		}
	}
}
