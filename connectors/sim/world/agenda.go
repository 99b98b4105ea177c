package world

// task is something decided earlier that is done on a later day.
type task struct {
	kind taskKind
	// id is a row or a person, by kind.
	id   int
	more int
}

type taskKind uint8

const (
	taskInvoice taskKind = iota // id: order
	taskCancel                  // id: order
	taskPurge                   // id: order
	taskDeliver                 // id: order
	taskPay                     // id: invoice
	taskCall                    // id: person, more: reason
	taskSolve                   // id: ticket
	taskClose                   // id: ticket
	taskSurvey                  // id: person, more: what for
	taskEdit                    // id: status
	taskUnpost                  // id: status
	taskMerge                   // id: person with a duplicate contact
)

func (w *World) later(day int, t task) { w.agenda[day] = append(w.agenda[day], t) }

// work does what earlier days left for this one.
func (w *World) work(day int) {
	tasks := w.agenda[day]
	delete(w.agenda, day)
	d := w.roll("agenda", day)
	for _, t := range tasks {
		switch t.kind {
		case taskInvoice:
			w.invoice(&d, day, t.id)
		case taskCancel:
			w.cancel(&d, day, t.id)
		case taskPurge:
			w.purge(&d, day, t.id)
		case taskDeliver:
			w.deliver(&d, day, t.id)
		case taskPay:
			w.pay(&d, day, t.id)
		case taskCall:
			w.callBack(&d, day, t.id, Reason(t.more))
		case taskSolve:
			w.solve(&d, day, t.id)
		case taskClose:
			w.closeTicket(day, t.id)
		case taskSurvey:
			w.answer(&d, day, t.id, surveyKind(t.more))
		case taskEdit:
			w.edit(&d, day, t.id)
		case taskUnpost:
			w.unpost(&d, day, t.id)
		case taskMerge:
			w.merge(&d, day, t.id)
		}
	}
}
