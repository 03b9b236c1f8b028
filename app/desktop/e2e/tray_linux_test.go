package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	itemPath = dbus.ObjectPath("/StatusNotifierItem")
	itemName = "org.kde.StatusNotifierItem"
	menuName = "com.canonical.dbusmenu"
)

// line is one line of the tray menu.
type line struct {
	id      int32
	label   string
	enabled bool
}

// busName is where the program's tray icon is on the bus.
func (p *program) busName() string {
	return fmt.Sprintf("org.kde.StatusNotifierItem-%d-1", p.cmd.Process.Pid)
}

// property is a property of the tray icon.
func (p *program) property(name string) any {
	v, err := p.bus.Object(p.busName(), itemPath).GetProperty(itemName + "." + name)
	if err != nil {
		return nil
	}
	return v.Value()
}

// menu is the tray menu of now.
func (p *program) menu() (path dbus.ObjectPath, lines []line) {
	path, ok := p.property("Menu").(dbus.ObjectPath)
	if !ok {
		return "", nil
	}
	var revision uint32
	var root struct {
		ID       int32
		Props    map[string]dbus.Variant
		Children []dbus.Variant
	}
	err := p.bus.Object(p.busName(), path).Call(menuName+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &root)
	if err != nil {
		return path, nil
	}
	for _, child := range root.Children {
		fields, ok := child.Value().([]any)
		if !ok || len(fields) < 2 {
			continue
		}
		id, _ := fields[0].(int32)
		props, _ := fields[1].(map[string]dbus.Variant)
		label, _ := props["label"].Value().(string)
		enabled, given := props["enabled"].Value().(bool)
		visible, said := props["visible"].Value().(bool)
		if label != "" && (visible || !said) {
			lines = append(lines, line{id, label, enabled || !given})
		}
	}
	return path, lines
}

func (p *program) find(label string) (path dbus.ObjectPath, l line, ok bool) {
	path, lines := p.menu()
	for _, l := range lines {
		if l.label == label {
			return path, l, true
		}
	}
	return path, line{}, false
}

// says waits until the menu has a line that begins with label.
func (p *program) says(label string) {
	p.t.Helper()
	p.until(fmt.Sprintf("the menu to say %q", label), func() bool {
		_, lines := p.menu()
		for _, l := range lines {
			if strings.HasPrefix(l.label, label) {
				return true
			}
		}
		return false
	})
}

// click clicks on a line of the menu, once it is there and can be clicked. It does so again
// when the menu was just made anew, which has no use for a click on the old one.
func (p *program) click(label string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%q to be clicked", label), func() bool {
		path, l, ok := p.find(label)
		if !ok || !l.enabled {
			return false
		}
		err := p.bus.Object(p.busName(), path).
			Call(menuName+".Event", 0, l.id, "clicked", dbus.MakeVariant(""), uint32(0)).Err
		_, now, there := p.find(label)
		return err == nil && (!there || now.id == l.id)
	})
}

// activate is a left click on the icon.
func (p *program) activate() {
	p.t.Helper()
	must(p.t, p.bus.Object(p.busName(), itemPath).Call(itemName+".Activate", 0, int32(0), int32(0)).Err)
}

// icon is the picture in the tray.
func (p *program) icon() string { return fmt.Sprint(p.property("IconPixmap")) }

// tip is what the pointer over the icon shows.
func (p *program) tip() string { return fmt.Sprint(p.property("ToolTip")) }

// lockedBuffer collects what a program prints.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String is everything printed so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
