model "a" {
  sql = "SELECT * FROM ${model.b}"
}

model "b" {
  sql = "SELECT * FROM ${insight.c}"
}

insight "c" {
  from = model.a # ERROR: Cycle: model.a -> model.b -> insight.c -> model.a
}

model "self" {
  sql = "SELECT * FROM ${model.self}" # ERROR: Cycle: model.self -> model.self
}

identity "person" {
  record "x" {
    from = model.cleaned
  }
}

model "cleaned" {
  sql = "SELECT * FROM ${identity.person.map}" # ERROR: Cycle: identity.person -> model.cleaned -> identity.person
}
