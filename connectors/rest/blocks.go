package rest

import "github.com/hashicorp/hcl/v2"

// The blocks of a definition as they stand in HCL. Attributes of type hcl.Expression may
// refer to names; the others are constants.

type fileBlock struct {
	Connectors []connectorBlock `hcl:"connector,block"`
}

type connectorBlock struct {
	Label         string         `hcl:"label,label"`
	Name          string         `hcl:"name,label"`
	Version       string         `hcl:"version,optional"`
	Summary       string         `hcl:"summary,optional"`
	Doc           string         `hcl:"doc,optional"`
	TestedAgainst string         `hcl:"tested_against,optional"`
	Fields        []fieldBlock   `hcl:"field,block"`
	StreamFields  []fieldBlock   `hcl:"stream_field,block"`
	Client        []clientBlock  `hcl:"client,block"`
	Auth          []authBlock    `hcl:"auth,block"`
	Budgets       []budgetBlock  `hcl:"budget,block"`
	Retry         []retryBlock   `hcl:"retry,block"`
	Rules         []ruleBlock    `hcl:"on_response,block"`
	Check         []requestBlock `hcl:"check,block"`
	Streams       []streamBlock  `hcl:"stream,block"`
	Range         hcl.Range      `hcl:",def_range"`
}

type fieldBlock struct {
	Name     string         `hcl:"name,label"`
	Type     string         `hcl:"type,optional"`
	Help     string         `hcl:"help,optional"`
	Required bool           `hcl:"required,optional"`
	Secret   bool           `hcl:"secret,optional"`
	Default  hcl.Expression `hcl:"default,optional"`
	Enum     []string       `hcl:"enum,optional"`
	Range    hcl.Range      `hcl:",def_range"`
}

type clientBlock struct {
	BaseURL    hcl.Expression `hcl:"base_url"`
	Headers    hcl.Expression `hcl:"headers,optional"`
	Timeout    string         `hcl:"timeout,optional"`
	AllowHosts hcl.Expression `hcl:"allow_hosts,optional"`
	MaxBody    int64          `hcl:"max_body_mb,optional"`
	Range      hcl.Range      `hcl:",def_range"`
}

type authBlock struct {
	Kind         string         `hcl:"kind,label"`
	Token        hcl.Expression `hcl:"token,optional"`
	Scheme       string         `hcl:"scheme,optional"`
	Username     hcl.Expression `hcl:"username,optional"`
	Password     hcl.Expression `hcl:"password,optional"`
	Header       string         `hcl:"header,optional"`
	Query        string         `hcl:"query,optional"`
	Value        hcl.Expression `hcl:"value,optional"`
	Grant        string         `hcl:"grant,optional"`
	TokenURL     hcl.Expression `hcl:"token_url,optional"`
	ClientID     hcl.Expression `hcl:"client_id,optional"`
	ClientSecret hcl.Expression `hcl:"client_secret,optional"`
	RefreshToken hcl.Expression `hcl:"refresh_token,optional"`
	Scopes       hcl.Expression `hcl:"scopes,optional"`
	Params       hcl.Expression `hcl:"params,optional"`
	ClientAuth   string         `hcl:"client_auth,optional"`
	Expires      string         `hcl:"expires,optional"`
	Login        []requestBlock `hcl:"login,block"`
	Range        hcl.Range      `hcl:",def_range"`
}

type budgetBlock struct {
	Name            string         `hcl:"name,label"`
	Requests        hcl.Expression `hcl:"requests,optional"`
	Per             string         `hcl:"per,optional"`
	MaxConcurrency  int            `hcl:"max_concurrency,optional"`
	RemainingHeader string         `hcl:"remaining_header,optional"`
	ResetHeader     string         `hcl:"reset_header,optional"`
	ResetUnit       string         `hcl:"reset_unit,optional"`
	Range           hcl.Range      `hcl:",def_range"`
}

type retryBlock struct {
	Codes       []int       `hcl:"codes,optional"`
	Limited     []int       `hcl:"limited_codes,optional"`
	MaxAttempts int         `hcl:"max_attempts,optional"`
	MaxElapsed  string      `hcl:"max_elapsed,optional"`
	MaxWait     string      `hcl:"max_wait,optional"`
	Initial     string      `hcl:"initial,optional"`
	Max         string      `hcl:"max,optional"`
	Waits       []waitBlock `hcl:"wait_header,block"`
	Range       hcl.Range   `hcl:",def_range"`
}

type waitBlock struct {
	Name  string    `hcl:"name,label"`
	Unit  string    `hcl:"unit,optional"`
	Range hcl.Range `hcl:",def_range"`
}

type ruleBlock struct {
	When    hcl.Expression `hcl:"when"`
	Action  string         `hcl:"action"`
	Kind    string         `hcl:"kind,optional"`
	Message hcl.Expression `hcl:"message,optional"`
	Wait    hcl.Expression `hcl:"wait_seconds,optional"`
	Range   hcl.Range      `hcl:",def_range"`
}

// requestBlock is one request.
type requestBlock struct {
	Path    hcl.Expression `hcl:"path"`
	Method  string         `hcl:"method,optional"`
	Query   hcl.Expression `hcl:"query,optional"`
	Headers hcl.Expression `hcl:"headers,optional"`
	JSON    hcl.Expression `hcl:"json,optional"`
	Form    hcl.Expression `hcl:"form,optional"`
	Range   hcl.Range      `hcl:",def_range"`
}

type streamBlock struct {
	Name        string            `hcl:"name,label"`
	Help        string            `hcl:"help,optional"`
	Path        hcl.Expression    `hcl:"path"`
	Method      string            `hcl:"method,optional"`
	Query       hcl.Expression    `hcl:"query,optional"`
	Headers     hcl.Expression    `hcl:"headers,optional"`
	JSON        hcl.Expression    `hcl:"json,optional"`
	Form        hcl.Expression    `hcl:"form,optional"`
	Records     string            `hcl:"records,optional"`
	Optional    bool              `hcl:"records_optional,optional"`
	Single      bool              `hcl:"single,optional"`
	Filter      hcl.Expression    `hcl:"filter,optional"`
	Decode      string            `hcl:"decode,optional"`
	Separator   string            `hcl:"separator,optional"`
	Nested      string            `hcl:"nested,optional"`
	FalseIsNull bool              `hcl:"false_is_null,optional"`
	Lift        []string          `hcl:"lift,optional"`
	PrimaryKey  []string          `hcl:"primary_key,optional"`
	Means       map[string]string `hcl:"means,optional"`
	Budget      string            `hcl:"budget,optional"`
	Add         hcl.Expression    `hcl:"add,optional"`
	Schema      []schemaBlock     `hcl:"schema,block"`
	Paginate    []paginateBlock   `hcl:"paginate,block"`
	Incremental []cursorBlock     `hcl:"incremental,block"`
	First       []variantBlock    `hcl:"first,block"`
	Partition   []partitionBlock  `hcl:"partition,block"`
	Deletes     []deletesBlock    `hcl:"deletes,block"`
	Rules       []ruleBlock       `hcl:"on_response,block"`
	Maps        []mapBlock        `hcl:"maps,block"`
	Range       hcl.Range         `hcl:",def_range"`
}

type schemaBlock struct {
	Closed        bool           `hcl:"closed,optional"`
	Select        hcl.Expression `hcl:"select,optional"`
	SelectPath    string         `hcl:"select_path,optional"`
	SelectDefault []string       `hcl:"select_default,optional"`
	Fields        []columnBlock  `hcl:"field,block"`
}

type columnBlock struct {
	Name     string    `hcl:"name,label"`
	Type     string    `hcl:"type,optional"`
	Path     string    `hcl:"path,optional"`
	Format   string    `hcl:"format,optional"`
	Timezone string    `hcl:"timezone,optional"`
	Means    string    `hcl:"means,optional"`
	Range    hcl.Range `hcl:",def_range"`
}

type paginateBlock struct {
	Kind       string         `hcl:"kind,label"`
	Next       hcl.Expression `hcl:"next,optional"`
	More       hcl.Expression `hcl:"has_more,optional"`
	Stop       hcl.Expression `hcl:"stop,optional"`
	Total      hcl.Expression `hcl:"total,optional"`
	TotalPages hcl.Expression `hcl:"total_pages,optional"`
	Size       hcl.Expression `hcl:"size,optional"`
	SizeParam  string         `hcl:"size_param,optional"`
	Param      string         `hcl:"param,optional"`
	Rel        string         `hcl:"rel,optional"`
	Start      int64          `hcl:"start,optional"`
	Field      string         `hcl:"field,optional"`
	StopOn     string         `hcl:"stop_on,optional"`
	MaxPages   int            `hcl:"max_pages,optional"`
	Resumable  bool           `hcl:"resumable,optional"`
	Cap        int64          `hcl:"cap,optional"`
	Key        string         `hcl:"key,optional"`
	Range      hcl.Range      `hcl:",def_range"`
}

type cursorBlock struct {
	Kind       string         `hcl:"kind,label"`
	Cursor     string         `hcl:"cursor,optional"`
	Format     string         `hcl:"format,optional"`
	Start      hcl.Expression `hcl:"start,optional"`
	Step       hcl.Expression `hcl:"step,optional"`
	Lookback   string         `hcl:"lookback,optional"`
	Lag        hcl.Expression `hcl:"lag,optional"`
	Precision  string         `hcl:"precision,optional"`
	Order      string         `hcl:"order,optional"`
	Exclusive  bool           `hcl:"lower_exclusive,optional"`
	LowerParam string         `hcl:"lower_param,optional"`
	UpperParam string         `hcl:"upper_param,optional"`
	ClientSide bool           `hcl:"client_side,optional"`
	OnMissing  string         `hcl:"on_missing,optional"`
	Token      hcl.Expression `hcl:"token,optional"`
	TokenParam string         `hcl:"token_param,optional"`
	Range      hcl.Range      `hcl:",def_range"`
}

// variantBlock is what differs in another reading of the stream.
type variantBlock struct {
	Path     hcl.Expression  `hcl:"path,optional"`
	Method   string          `hcl:"method,optional"`
	Query    hcl.Expression  `hcl:"query,optional"`
	Headers  hcl.Expression  `hcl:"headers,optional"`
	JSON     hcl.Expression  `hcl:"json,optional"`
	Form     hcl.Expression  `hcl:"form,optional"`
	Records  *string         `hcl:"records,optional"`
	Budget   string          `hcl:"budget,optional"`
	Paginate []paginateBlock `hcl:"paginate,block"`
	Range    hcl.Range       `hcl:",def_range"`
}

type partitionBlock struct {
	Kind        string         `hcl:"kind,label"`
	Stream      string         `hcl:"stream,optional"`
	Incremental bool           `hcl:"incremental,optional"`
	Values      hcl.Expression `hcl:"values,optional"`
	Range       hcl.Range      `hcl:",def_range"`
}

type deletesBlock struct {
	Mode     string            `hcl:"mode,label"`
	Field    string            `hcl:"field,optional"`
	Path     hcl.Expression    `hcl:"path,optional"`
	Method   string            `hcl:"method,optional"`
	Query    hcl.Expression    `hcl:"query,optional"`
	Headers  hcl.Expression    `hcl:"headers,optional"`
	JSON     hcl.Expression    `hcl:"json,optional"`
	Form     hcl.Expression    `hcl:"form,optional"`
	Records  *string           `hcl:"records,optional"`
	Budget   string            `hcl:"budget,optional"`
	Filter   hcl.Expression    `hcl:"filter,optional"`
	Every    hcl.Expression    `hcl:"every,optional"`
	Time     string            `hcl:"time,optional"`
	Keys     map[string]string `hcl:"keys,optional"`
	Paginate []paginateBlock   `hcl:"paginate,block"`
	Range    hcl.Range         `hcl:",def_range"`
}

type mapBlock struct {
	Table   string            `hcl:"table,label"`
	Columns map[string]string `hcl:"columns"`
}
