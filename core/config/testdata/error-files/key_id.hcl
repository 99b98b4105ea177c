privacy {
  key_id = "k2" # ERROR: key_id without a key
}
