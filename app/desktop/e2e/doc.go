// Package e2e drives the built program as a person does: by its tray menu, its window and
// the keyboard, on a display and a session bus of its own. Everything it starts ends with
// the test.
package e2e
