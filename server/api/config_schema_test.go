package api_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/trysail-go/trysail/config"
)

var operations = []string{"batch_processing"}

func configSchema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(config.Schema(operations...)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(jsonschema.SchemeURLLoader{}) // loads nothing
	if err := compiler.AddResource(config.SchemaID, document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(config.SchemaID)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// largeExponent is what exact arithmetic takes long for, or cannot do.
var largeExponent = regexp.MustCompile(`[eE][+-]?\d{4}`)

// agree checks that the schema and config.Validate say the same of a document. It reports whether both took it.
func agree(t *testing.T, schema *jsonschema.Schema, document string) bool {
	t.Helper()
	_, report := config.Validate([]byte(document), config.ValidateOptions{Operations: operations, ShapeOnly: true})
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(document))
	if err != nil || largeExponent.MatchString(document) {
		if report.Valid() && err != nil {
			t.Errorf("%q is no JSON (%v), but Validate takes it", document, err)
		}
		return false
	}
	mismatch := schema.Validate(value)
	if report.Valid() && mismatch != nil {
		t.Errorf("Validate takes %q, the schema does not: %v", document, mismatch)
	}
	if mismatch == nil && slices.ContainsFunc(report.Errors, shape) && !slices.ContainsFunc(report.Errors, duplicate) {
		t.Errorf("the schema takes %q, Validate says of its shape: %v", document, report.Err())
	}
	return report.Valid() && mismatch == nil
}

func shape(f config.Finding) bool { return f.Rule == config.RuleShape }

// duplicate finds documents that the schema's decoder sees less of.
func duplicate(f config.Finding) bool { return strings.HasPrefix(f.Message, "Duplicate key") }

func FuzzConfigSchema(f *testing.F) {
	schema := configSchema(f)
	for _, seed := range []string{
		`{}`, `[]`, `null`, `{"retry_attempts": 3.0}`, `{"retry_attempts": 10.00000000000000000000001}`, `{"retry_attempts": 1e0}`,
		`{"retry_attempts": 3, "retry_attempts": "x"}`, `{"operation_overrides": {"qa": "critical", "batch_processing": "balanced"}}`,
		`{"operation_overrides": {"": "critical"}}`, `{"default_strategy": "\u0062alanced"}`, `{"jitter_enabled": null}`, `{"exponential_max": 1e-5}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, document string) { agree(t, schema, document) })
}

// Random documents, most of them near the bounds of the table: a fuzzer seldom finds those by itself.
func TestConfigSchemaSaysWhatValidateDoes(t *testing.T) {
	schema := configSchema(t)
	random := rand.New(rand.NewPCG(5, 4))
	taken := 0
	const documents = 20_000
	for range documents {
		if agree(t, schema, randomDocument(random)) {
			taken++
		}
	}
	if taken < documents/20 || taken > documents*19/20 {
		t.Errorf("%d of %d documents are valid: too few of one kind to say anything", taken, documents)
	}
}

func randomDocument(random *rand.Rand) string {
	fields := config.Fields()
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var members []string
	for _, f := range fields[:random.IntN(4)] {
		members = append(members, fmt.Sprintf("%q: %s", f.Name, randomValue(random, f)))
	}
	if random.IntN(20) == 0 {
		members = append(members, `"retry": 3`)
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func randomValue(random *rand.Rand, f config.Field) string {
	odd := []string{"null", "true", "false", `"balanced"`, `"3"`, "[]", "{}", "-0", "1e400", "1e-400"}
	if random.IntN(12) == 0 {
		return pick(random, odd)
	}
	switch f.Kind {
	case config.KindInteger, config.KindNumber:
		bound := pick(random, []float64{f.Min, f.Max})
		near := bound + pick(random, []float64{-1, -0.1, -0.05, 0, 0, 0, 0.05, 0.1, 1})
		return pick(random, []string{fmt.Sprint(near), fmt.Sprintf("%.1f", near), fmt.Sprintf("%e", near), fmt.Sprintf("%.1f000000000000000000000000001", near), fmt.Sprint(int(near))})
	case config.KindBoolean:
		return pick(random, []string{"true", "false"})
	case config.KindString:
		return fmt.Sprintf("%q", pick(random, append(f.Enum, "Balanced", "")))
	default:
		return randomOverrides(random, f)
	}
}

func randomOverrides(random *rand.Rand, f config.Field) string {
	names := append([]string{"batch_processing", "unknown", ""}, "batch")
	for short, long := range config.Aliases() {
		names = append(names, short, long)
	}
	slices.Sort(names)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	var members []string
	for _, name := range names[:random.IntN(len(names))] {
		if (name == "unknown" || name == "" || name == "batch") && random.IntN(4) > 0 {
			continue
		}
		members = append(members, fmt.Sprintf("%q: %q", name, pick(random, f.Enum)))
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }
