package engine

// Failpoints lists the names that Engine.Fail is called with, in the order a record meets
// them. Tests kill the program at each of them and demand that the next run ends in the
// same tables.
func Failpoints() []string {
	return []string{
		"run_begin", "table_defined", "stream_begin", "chunk_ready",
		"drift_before", "rewrite_defined", "rewrite_copied", "drift_after",
		"write_before", "write_after", "quarantine_before", "quarantine_after", "state_before", "state_after",
		"commit_before", "commit_after", "pending_held", "pending_move",
		"shadow_defined", "shadow_stored", "swap_before", "swap_after",
		"sweep_read", "prune_before_commit", "prune_after_commit", "model_before", "model_built",
	}
}
