package identity

import "github.com/hashicorp/hcl/v2"

// definition is an identity block as it is written. Zero values mean that the user said
// nothing; pipeline defaults are filled in by settings.
type definition struct {
	Entity   string         `hcl:"entity,optional"`
	IDPrefix string         `hcl:"id_prefix,optional"`
	Region   string         `hcl:"region,optional"`
	Seed     *int           `hcl:"seed,optional"`
	From     hcl.Expression `hcl:"from,optional" json:"-"`
	Exclude  []string       `hcl:"exclude,optional"`

	Records     []recordBlock     `hcl:"record,block"`
	Identifiers []identifierBlock `hcl:"identifier,block"`
	Attributes  []attributeBlock  `hcl:"attribute,block"`
	MatchRules  []matchRuleBlock  `hcl:"match_rule,block"`
	Blocking    []blockingBlock   `hcl:"blocking_rule,block"`
	Stitches    []stitchBlock     `hcl:"stitch,block"`
	Model       *modelBlock       `hcl:"model,block"`
	Decision    *decisionBlock    `hcl:"decision,block"`
	Guardrail   *guardrailBlock   `hcl:"guardrail,block"`
	Override    *overrideBlock    `hcl:"override,block"`
	Clustering  *clusteringBlock  `hcl:"clustering,block"`
	Survivor    *survivorBlock    `hcl:"survivorship,block"`
	Persistence *persistenceBlock `hcl:"persistence,block"`
	Hierarchies []hierarchyBlock  `hcl:"hierarchy,block"`
	Review      *reviewBlock      `hcl:"review,block"`
	Evaluate    *evaluateBlock    `hcl:"evaluate,block"`
	Privacy     *privacyBlock     `hcl:"privacy,block"`
}

type recordBlock struct {
	Name       string         `hcl:"name,label"`
	From       hcl.Expression `hcl:"from" json:"-"`
	Key        []string       `hcl:"key,optional"`
	UpdatedAt  string         `hcl:"updated_at,optional"`
	ObservedAt string         `hcl:"observed_at,optional"`
	Trust      *int           `hcl:"trust,optional"`
	Grain      string         `hcl:"grain,optional"`
	Map        *mapBlock      `hcl:"map,block"`
	Range      hcl.Range      `hcl:",def_range" json:"-"`
}

// mapBlock holds attribute = column, or attribute = [column, ...].
type mapBlock struct {
	Columns hcl.Attributes `hcl:",remain" json:"-"`
}

type identifierBlock struct {
	Name          string          `hcl:"name,label"`
	Priority      int             `hcl:"priority,optional"`
	Exclusive     bool            `hcl:"exclusive,optional"`
	Normalize     []string        `hcl:"normalize,optional"`
	MaxPersons    int             `hcl:"max_persons_per_value,optional"`
	MaxValues     int             `hcl:"max_values_per_person,optional"`
	ValidFor      string          `hcl:"valid_for,optional"`
	Block         *blocklistBlock `hcl:"blocklist,block"`
	Deterministic *bool           `hcl:"links,optional"`
	Range         hcl.Range       `hcl:",def_range" json:"-"`
}

type blocklistBlock struct {
	Values         []string `hcl:"values,optional"`
	LocalPart      []string `hcl:"local_part,optional"`
	Pattern        []string `hcl:"pattern,optional"`
	File           string   `hcl:"file,optional"`
	RepeatedDigits int      `hcl:"repeated_digit_min,optional"`
}

type attributeBlock struct {
	Name      string   `hcl:"name,label"`
	Kind      string   `hcl:"kind,optional"`
	Normalize []string `hcl:"normalize,optional"`
	Variants  string   `hcl:"variants,optional"`
	Compare   *bool    `hcl:"compare,optional"`
	// Sets are the lines of the variants file.
	Sets  [][]string
	Range hcl.Range `hcl:",def_range" json:"-"`
}

type matchRuleBlock struct {
	Name  string    `hcl:"name,label"`
	On    []string  `hcl:"on"`
	And   string    `hcl:"and,optional"`
	Range hcl.Range `hcl:",def_range" json:"-"`
}

type blockingBlock struct {
	Name     string    `hcl:"name,label"`
	Keys     []string  `hcl:"keys"`
	MaxBlock int       `hcl:"max_block,optional"`
	Range    hcl.Range `hcl:",def_range" json:"-"`
}

type stitchBlock struct {
	Name         string         `hcl:"name,label"`
	Link         []string       `hcl:"link"`
	Event        hcl.Expression `hcl:"event" json:"-"`
	When         string         `hcl:"when,optional"`
	At           string         `hcl:"at,optional"`
	Window       string         `hcl:"window,optional"`
	SharedDevice string         `hcl:"shared_device,optional"`
	Backfill     *bool          `hcl:"backfill,optional"`
	Map          *mapBlock      `hcl:"map,block"`
	Range        hcl.Range      `hcl:",def_range" json:"-"`
	columns      map[string]string
}

type modelBlock struct {
	Name        string            `hcl:"name,label"`
	Kind        string            `hcl:"kind,optional"`
	Train       *trainBlock       `hcl:"train,block"`
	Comparisons []comparisonBlock `hcl:"comparison,block"`
	Range       hcl.Range         `hcl:",def_range" json:"-"`
}

type trainBlock struct {
	Unsupervised *bool      `hcl:"unsupervised,optional"`
	UPairs       float64    `hcl:"u_pairs,optional"`
	On           [][]string `hcl:"on,optional"`
	RecallGuess  float64    `hcl:"recall_guess,optional"`
	MaxPairs     float64    `hcl:"max_pairs,optional"`
}

type comparisonBlock struct {
	Name          string       `hcl:"name,label"`
	On            []string     `hcl:"on"`
	Levels        []string     `hcl:"levels,optional"`
	TermFrequency bool         `hcl:"term_frequency,optional"`
	Level         []levelBlock `hcl:"level,block"`
	Range         hcl.Range    `hcl:",def_range" json:"-"`
}

type levelBlock struct {
	When          string    `hcl:"when"`
	TermFrequency string    `hcl:"term_frequency,optional"`
	M             *float64  `hcl:"m,optional"`
	U             *float64  `hcl:"u,optional"`
	Range         hcl.Range `hcl:",def_range" json:"-"`
}

type decisionBlock struct {
	Link   *float64  `hcl:"link,optional"`
	Review *float64  `hcl:"review,optional"`
	Keep   *float64  `hcl:"keep,optional"`
	Range  hcl.Range `hcl:",def_range" json:"-"`
}

type guardrailBlock struct {
	MaxClusterSize      int               `hcl:"max_cluster_size,optional"`
	MaxRecordsPerSource map[string]int    `hcl:"max_records_per_source,optional"`
	OnViolation         string            `hcl:"on_violation,optional"`
	CannotLink          []cannotLinkBlock `hcl:"cannot_link,block"`
	Alert               *alertBlock       `hcl:"alert,block"`
	Range               hcl.Range         `hcl:",def_range" json:"-"`
}

type cannotLinkBlock struct {
	Name  string         `hcl:"name,label"`
	When  string         `hcl:"when,optional"`
	Table hcl.Expression `hcl:"table,optional" json:"-"`
	Range hcl.Range      `hcl:",def_range" json:"-"`
}

type alertBlock struct {
	GiantCluster int    `hcl:"giant_cluster,optional"`
	EdgeGrowth   string `hcl:"edge_growth,optional"`
}

type overrideBlock struct {
	MustLink   hcl.Expression `hcl:"must_link,optional" json:"-"`
	CannotLink hcl.Expression `hcl:"cannot_link,optional" json:"-"`
	Range      hcl.Range      `hcl:",def_range" json:"-"`
}

type clusteringBlock struct {
	Method      string    `hcl:"method,optional"`
	MissingBits *float64  `hcl:"missing_edge_bits,optional"`
	StopBits    *float64  `hcl:"stop_bits,optional"`
	Range       hcl.Range `hcl:",def_range" json:"-"`
}

type survivorBlock struct {
	Default []string             `hcl:"default,optional"`
	Fields  []survivorFieldBlock `hcl:"field,block"`
	Range   hcl.Range            `hcl:",def_range" json:"-"`
}

type survivorFieldBlock struct {
	Name  string    `hcl:"name,label"`
	Rule  string    `hcl:"rule"`
	From  []string  `hcl:"from,optional"`
	Limit int       `hcl:"limit,optional"`
	Range hcl.Range `hcl:",def_range" json:"-"`
}

type persistenceBlock struct {
	MergeSurvivor string    `hcl:"merge_survivor,optional"`
	Incremental   *bool     `hcl:"incremental,optional"`
	Range         hcl.Range `hcl:",def_range" json:"-"`
}

type hierarchyBlock struct {
	Name          string    `hcl:"name,label"`
	On            []string  `hcl:"on"`
	Fallback      []string  `hcl:"fallback,optional"`
	MaxMembers    int       `hcl:"max_members,optional"`
	BlocklistFile string    `hcl:"blocklist_file,optional"`
	Blocklist     []string  `hcl:"blocklist,optional"`
	Range         hcl.Range `hcl:",def_range" json:"-"`
}

type reviewBlock struct {
	Sample int       `hcl:"sample,optional"`
	Range  hcl.Range `hcl:",def_range" json:"-"`
}

type evaluateBlock struct {
	Labels hcl.Expression `hcl:"labels,optional" json:"-"`
	Truth  string         `hcl:"truth,optional"`
	FailIf *failIfBlock   `hcl:"fail_if,block"`
	Range  hcl.Range      `hcl:",def_range" json:"-"`
}

type failIfBlock struct {
	PrecisionBelow *float64 `hcl:"precision_below,optional"`
	RecallBelow    *float64 `hcl:"recall_below,optional"`
	F1Below        *float64 `hcl:"f1_below,optional"`
}

type privacyBlock struct {
	Hash  []string  `hcl:"hash,optional"`
	Range hcl.Range `hcl:",def_range" json:"-"`
}
