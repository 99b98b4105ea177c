package wirev1_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// TestProtocolOnlyGrows compares the protocol with the one that was released: every line
// of the golden file must still be true. A new line is added by hand, with the change
// that makes it; a line that is gone breaks every plugin in use and belongs into v2.
func TestProtocolOnlyGrows(t *testing.T) {
	golden, err := os.ReadFile("testdata/released.txt")
	if err != nil {
		t.Fatal(err)
	}
	now := map[string]bool{}
	var lines []string
	for _, line := range describe(wirev1.File_plugin_proto) {
		now[line] = true
		lines = append(lines, line)
	}
	released := map[string]bool{}
	for _, line := range strings.Split(strings.TrimSpace(string(golden)), "\n") {
		released[line] = true
		if !now[line] {
			t.Errorf("released, and no longer so: %s", line)
		}
	}
	for _, line := range lines {
		if !released[line] {
			t.Errorf("new, and not yet in testdata/released.txt: %s", line)
		}
	}
	if len(lines) < 100 {
		t.Errorf("only %d lines describe the protocol", len(lines))
	}
}

// describe gives a line for each thing that peers rely on.
func describe(f protoreflect.FileDescriptor) []string {
	out := []string{"package " + string(f.Package())}
	for i := range f.Services().Len() {
		s := f.Services().Get(i)
		for j := range s.Methods().Len() {
			m := s.Methods().Get(j)
			out = append(out, fmt.Sprintf("rpc %s(%s) returns (%s) stream=%v,%v", m.FullName(), m.Input().FullName(),
				m.Output().FullName(), m.IsStreamingClient(), m.IsStreamingServer()))
		}
	}
	return append(append(out, messages(f.Messages())...), enums(f.Enums())...)
}

func messages(all protoreflect.MessageDescriptors) []string {
	var out []string
	for i := range all.Len() {
		m := all.Get(i)
		for j := range m.Fields().Len() {
			fd := m.Fields().Get(j)
			kind := fd.Kind().String()
			if fd.Message() != nil {
				kind = string(fd.Message().FullName())
			} else if fd.Enum() != nil {
				kind = string(fd.Enum().FullName())
			}
			oneof := ""
			if o := fd.ContainingOneof(); o != nil {
				oneof = " in " + string(o.Name())
			}
			out = append(out, fmt.Sprintf("field %s = %d %s %s%s", fd.FullName(), fd.Number(), fd.Cardinality(), kind, oneof))
		}
		out = append(append(out, messages(m.Messages())...), enums(m.Enums())...)
	}
	return out
}

func enums(all protoreflect.EnumDescriptors) []string {
	var out []string
	for i := range all.Len() {
		for j := range all.Get(i).Values().Len() {
			v := all.Get(i).Values().Get(j)
			out = append(out, fmt.Sprintf("value %s = %d of %s", v.Name(), v.Number(), all.Get(i).FullName()))
		}
	}
	return out
}
