package core

// Spec is what a connector, transform or model kind tells about itself. The parser,
// the documentation, the redaction and the completion of its configuration all come
// from Fields.
type Spec struct {
	// Name is the label in the configuration: source "<Name>" "crm".
	Name string
	// Family names the plugin that serves it, unsilo-plugin-<Family>; empty means Name.
	Family string
	// Version is the connector's own version.
	Version string
	// Summary is one line; Doc is Markdown.
	Summary, Doc string
	// Fields are the attributes of the block.
	Fields []Field
	// StreamFields are attributes of a stream block beyond those every stream has.
	StreamFields []Field
	// Dynamic says that stream blocks may name streams which the connector builds
	// from StreamFields, such as a table or a file pattern.
	Dynamic bool
	// Hosts are the network hosts it talks to when base URLs are left at their
	// defaults; empty for connectors that are told where to go.
	Hosts []string
	// TestedAgainst says what the connector has met: "real server", "vendor
	// specification", "simulator".
	TestedAgainst string
}

// PluginFamily is the name of the plugin that serves the connector.
func (s Spec) PluginFamily() string {
	if s.Family != "" {
		return s.Family
	}
	return s.Name
}

// Field is one configuration attribute.
type Field struct {
	Name     string
	Type     FieldType
	Help     string
	Required bool
	// Secret fields take secret(...) references; a literal is a warning, and the value
	// is redacted wherever it appears.
	Secret bool
	// Default is the value when the attribute is left out; nil means none.
	Default any
	// Enum lists the allowed strings; empty allows any.
	Enum []string
	// Path marks a file path or pattern, resolved against the project's folder.
	Path bool
}

// FieldType is the type of a Field and so of the value in Config.Values.
type FieldType string

// The field types and the Go type each has in Config.Values.
const (
	TypeString   FieldType = "string"   // string
	TypeInt      FieldType = "int"      // int64
	TypeFloat    FieldType = "float"    // float64
	TypeBool     FieldType = "bool"     // bool
	TypeDuration FieldType = "duration" // string, such as "90s", "24h" or "7d"
	TypeStrings  FieldType = "strings"  // []any of string
	TypeMap      FieldType = "map"      // map[string]any of string
	TypeAny      FieldType = "any"      // any JSON value: string, int64, float64, bool, nil, []any, map[string]any
)
