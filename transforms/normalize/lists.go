package normalize

import (
	_ "embed"
	"strings"
	"sync"
)

// The lists are data: one entry or group a line, # starts a comment. Entries are
// written the way AppendWords leaves them.
var (
	//go:embed data/placeholders.txt
	placeholderData string
	//go:embed data/role_mailboxes.txt
	roleData string
	//go:embed data/household_mailboxes.txt
	householdData string
	//go:embed data/public_mail.txt
	publicMailData string
	//go:embed data/titles.txt
	titleData string
	//go:embed data/legal_forms.txt
	legalFormData string
	//go:embed data/street_words.txt
	streetData string
	//go:embed data/nicknames.txt
	nicknameData string
)

// set is a set of words.
type set map[string]struct{}

// wordLists holds the lists, read once and never changed.
type wordLists struct {
	placeholders, publicMail     set
	roles, households            set
	titles, degrees, generations set
	particles                    set
	legalForms, fillers          set
	streets                      map[string]string
	nicknames                    map[string][]int32
	nicknameGroups               []string
}

// lists reads the lists at first use.
var lists = sync.OnceValue(readLists)

func readLists() *wordLists {
	l := &wordLists{
		placeholders: section(placeholderData, ""), roles: section(roleData, ""), publicMail: section(publicMailData, ""),
		households: section(householdData, ""),
		titles:     section(titleData, "title"), degrees: section(titleData, "degree"),
		generations: section(titleData, "generation"), particles: section(titleData, "particle"),
		legalForms: section(legalFormData, "form"), fillers: section(legalFormData, "filler"),
		streets: map[string]string{}, nicknames: map[string][]int32{},
	}
	eachLine(streetData, func(line string) {
		words := strings.Fields(line)
		for _, w := range words {
			l.streets[w] = words[0]
		}
	})
	eachLine(nicknameData, func(line string) {
		words := strings.Fields(line)
		group := int32(len(l.nicknameGroups))
		l.nicknameGroups = append(l.nicknameGroups, words[0])
		for _, w := range words {
			l.nicknames[w] = append(l.nicknames[w], group)
		}
	})
	return l
}

// section reads the entries of the lines that start with "name:", or of all lines when
// name is empty. Entries are separated by commas.
func section(data, name string) set {
	s := set{}
	eachLine(data, func(line string) {
		if name != "" {
			key, rest, ok := strings.Cut(line, ":")
			if !ok || key != name {
				return
			}
			line = rest
		}
		for entry := range strings.SplitSeq(line, ",") {
			if entry = strings.TrimSpace(entry); entry != "" {
				s[entry] = struct{}{}
			}
		}
	})
	return s
}

func eachLine(data string, do func(line string)) {
	for line := range strings.Lines(data) {
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line != "" {
			do(line)
		}
	}
}

// has reports whether the word is in the set.
func (s set) has(word []byte) bool { _, ok := s[string(word)]; return ok }
