package naming

type assignment struct {
	in     Input
	known  []Known
	idOf   []int32
	holder []int32
	events []Event
}

// mint names the clusters that kept no id. A hash id that is retired comes back: the same
// first record means the same entity.
func (a *assignment) mint() {
	index := make(map[string]int32, len(a.known))
	for i, k := range a.known {
		index[k.ID] = int32(i)
	}
	for c := range a.idOf {
		if a.idOf[c] >= 0 {
			continue
		}
		for generation := 0; ; generation++ {
			id := a.in.Mint(a.in.Clusters[c][0], generation)
			at, taken := index[id]
			if taken && (a.known[at].Active || a.holder[at] >= 0) {
				continue
			}
			kind := Restore
			if !taken {
				kind = Mint
				at = int32(len(a.known))
				a.known = append(a.known, Known{ID: id, Born: a.in.Build})
				a.holder = append(a.holder, 0)
				index[id] = at
			}
			a.idOf[c], a.holder[at] = at, int32(c)
			a.events = append(a.events, Event{kind, id, "", len(a.in.Clusters[c])})
			break
		}
	}
}

// explain logs what became of every id that had records.
func (a *assignment) explain(votes []vote) {
	went := make(map[int32][]vote)
	for _, v := range votes {
		if a.holder[v.known] != v.cluster {
			went[v.known] = append(went[v.known], v)
		}
	}
	for k := range a.in.Known {
		id := a.known[k].ID
		if a.holder[k] >= 0 {
			a.known[k].Active, a.known[k].Current = true, ""
			for _, v := range went[int32(k)] {
				a.events = append(a.events, Event{Split, id, a.known[a.idOf[v.cluster]].ID, int(v.count)})
			}
			continue
		}
		if !a.in.Known[k].Active || a.in.Known[k].Elsewhere {
			continue
		}
		a.known[k].Active = false
		a.leave(int32(k), went[int32(k)])
	}
	for at := len(a.in.Known); at < len(a.known); at++ {
		a.known[at].Active = true
	}
}

// leave ends an id: its records went to one cluster, to several, or are gone.
func (a *assignment) leave(k int32, went []vote) {
	id := a.known[k].ID
	if len(went) == 0 {
		a.events = append(a.events, Event{Retire, id, "", 0})
		return
	}
	// The votes are in order of preference: the first one is where most records went.
	a.known[k].Current = a.known[a.idOf[went[0].cluster]].ID
	a.events = append(a.events, Event{Merge, id, a.known[k].Current, int(went[0].count)})
	for _, v := range went[1:] {
		a.events = append(a.events, Event{Split, id, a.known[a.idOf[v.cluster]].ID, int(v.count)})
	}
}

// result collapses chains of redirects, so that each leads to an id in use or to none.
func (a *assignment) result() Result {
	index := make(map[string]int32, len(a.known))
	for i, k := range a.known {
		index[k.ID] = int32(i)
	}
	for i := range a.known {
		current, hops := a.known[i].Current, 0
		for current != "" && !a.known[index[current]].Active && hops < len(a.known) {
			current = a.known[index[current]].Current
			hops++
		}
		a.known[i].Current = current
	}
	ids := make([]string, len(a.idOf))
	for c, k := range a.idOf {
		ids[c] = a.known[k].ID
	}
	return Result{ids, a.events, a.known}
}
