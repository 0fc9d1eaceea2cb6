package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/trysail-go/trysail/config"
)

// composeFile is what is read of a compose file (https://github.com/compose-spec/compose-spec/blob/main/05-services.md).
type composeFile struct {
	Services map[string]struct {
		Environment yaml.Node `yaml:"environment"`
		EnvFile     yaml.Node `yaml:"env_file"`
		Extends     yaml.Node `yaml:"extends"`
	} `yaml:"services"`
}

// readCompose finds the environments of the services of a compose file.
func readCompose(name string, content []byte) (*legacySource, error) {
	file, err := parseCompose(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", name, harmlessLines(err.Error()))
	}
	from := &legacySource{name: name, format: "compose"}
	var errs []error
	for _, service := range slices.Sorted(maps.Keys(file.Services)) {
		said := file.Services[service]
		values, err := composeEnvironment(said.Environment)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: services.%s.environment: %s", name, harmless(service), harmlessLines(err.Error())))
			continue
		}
		if said.EnvFile.Kind != 0 {
			from.warnings = append(from.warnings, fmt.Sprintf("service %s: its env_file is not read, name that file to migrate it, too", service))
		}
		if said.Extends.Kind != 0 {
			from.warnings = append(from.warnings, fmt.Sprintf("service %s: what it extends is not read", service))
		}
		from.environments = append(from.environments, legacyEnvironment{service, said.Environment.Kind == yaml.SequenceNode, config.Variables(values)})
	}
	return from, errors.Join(errs...)
}

func parseCompose(content []byte) (file *composeFile, err error) {
	defer func() {
		if broken := recover(); broken != nil { // a bug of the library
			err = errors.New("found YAML that the parser cannot read, want it simpler")
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	file = &composeFile{}
	switch err := decoder.Decode(file); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("found nothing, want a compose file")
	case err != nil:
		return nil, fmt.Errorf("found no compose file: %w", err)
	case len(file.Services) == 0:
		return nil, errors.New("found no services, want a compose file with services and their environment")
	}
	return file, nil
}

// composeEnvironment reads an environment, which is a mapping, or a list of NAME=value. A name without a value is taken from the
// shell that runs compose, which is the same as ${NAME}.
func composeEnvironment(node yaml.Node) (map[string]string, error) {
	if node.Kind == yaml.AliasNode {
		node = *node.Alias
	}
	values := map[string]string{}
	switch node.Kind {
	case 0: // there is none
	case yaml.MappingNode:
		var entries map[string]yaml.Node // with those of merge keys
		if err := node.Decode(&entries); err != nil {
			return nil, fmt.Errorf("found no good mapping: %w", err)
		}
		for name, value := range entries {
			if value.Kind == yaml.AliasNode {
				value = *value.Alias
			}
			switch {
			case value.Kind != yaml.ScalarNode:
				return nil, fmt.Errorf("line %d: %s is no single value, want a text, a number or a truth value", value.Line, name)
			case value.Tag == "!!null":
				values[name] = "${" + name + "}"
			default:
				values[name] = value.Value
			}
		}
	case yaml.SequenceNode:
		for _, item := range node.Content {
			if item.Kind == yaml.AliasNode {
				item = item.Alias
			}
			if item.Kind != yaml.ScalarNode {
				return nil, fmt.Errorf("line %d: found no single value, want NAME=value", item.Line)
			}
			name, value, given := strings.Cut(item.Value, "=")
			if !given {
				value = "${" + name + "}"
			}
			values[name] = value
		}
	default:
		if node.Tag != "!!null" {
			return nil, fmt.Errorf("line %d: found a single value, want a mapping, or a list of NAME=value", node.Line)
		}
	}
	return values, nil
}
