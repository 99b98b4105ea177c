locals {
  a = local.b # ERROR: Cycle: local.a -> local.b -> local.c -> local.a
  b = local.c
  c = local.a
  d = source.crm.contacts # ERROR: A reference to source.crm.contacts cannot stand here
  e = local.missing       # ERROR: Unknown local value "missing"
  f = env.HOME            # ERROR: Unknown name "env"
  g {}                    # ERROR: Unknown block "g"
}
