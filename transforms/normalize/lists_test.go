package normalize

import "testing"

// TestLists proves that the lists are written in the form that values have when they are
// looked up, so that no entry is dead.
func TestLists(t *testing.T) {
	l := lists()
	for name, words := range map[string]set{
		"placeholders": l.placeholders, "titles": l.titles, "degrees": l.degrees, "generations": l.generations, "particles": l.particles,
		"legal forms": l.legalForms, "fillers": l.fillers,
	} {
		if len(words) == 0 {
			t.Errorf("%s: the list is empty", name)
		}
		for w := range words {
			if got, _ := Func(AppendWords).Of(w); got != w {
				t.Errorf("%s: %q is looked up as %q", name, w, got)
			}
		}
	}
	for host := range l.publicMail {
		if got, ok := Func(AppendDomain).Of(host); got != host || !ok {
			t.Errorf("public mail: %q is looked up as %q", host, got)
		}
		if _, ok := Func(AppendCompanyDomain).Of("anna@" + host); ok {
			t.Errorf("public mail: %q passes for a company's", host)
		}
	}
	for local := range l.roles {
		address, ok := Func(AppendEmail).Of(local + "@acme.fi")
		if ok && !IsRoleMailbox([]byte(address)) {
			t.Errorf("role mailboxes: %q is looked up as %q", local, address)
		}
	}
	for word, short := range l.streets {
		if l.streets[short] != short {
			t.Errorf("streets: %q becomes %q, and that becomes %q", word, short, l.streets[short])
		}
		if got, _ := Func(AppendWords).Of(word); got != word {
			t.Errorf("streets: %q is looked up as %q", word, got)
		}
	}
	for name, groups := range l.nicknames {
		if got, _ := Func(AppendWords).Of(name); got != name {
			t.Errorf("nicknames: %q is looked up as %q", name, got)
		}
		seen := map[int32]bool{}
		for _, g := range groups {
			if seen[g] {
				t.Errorf("nicknames: %q stands twice in the group of %q", name, l.nicknameGroups[g])
			}
			seen[g] = true
		}
	}
}
