package perf

import (
	"bytes"
	"os"
	"runtime"
	"strconv"

	"github.com/trysail-go/trysail/config"
)

// An Environment says where something was measured: figures of two machines are not to be compared.
type Environment struct {
	GoVersion  string `json:"go_version"`
	OS         string `json:"os"`
	Arch       string `json:"arch"`
	CPUCount   int    `json:"cpu_count"`  // that the process may use
	GoMaxProcs int    `json:"gomaxprocs"` // goroutines that run at once

	// MemoryGB is the machine's memory in GiB, from /proc/meminfo. 0: not known, as on systems without that file.
	MemoryGB float64 `json:"memory_gb"`

	Variables Variables `json:"environment_variables"`
}

// Variables are what an Environment tells of the program's variables. Of keys it tells only whether they are set.
type Variables struct {
	Debug           bool   `json:"DEBUG"`             // whether it says yes
	Preset          string `json:"RESILIENCE_PRESET"` // at most 64 characters; empty when it is not set
	APIKeySet       bool   `json:"API_KEY_SET"`
	GeminiKeySet    bool   `json:"GEMINI_API_KEY_SET"`
	OpenAIKeySet    bool   `json:"OPENAI_API_KEY_SET"`
	AnthropicKeySet bool   `json:"ANTHROPIC_API_KEY_SET"`
}

// environmentOf describes where the program runs.
func environmentOf(variables config.Environ) Environment {
	if variables == nil {
		variables = config.Variables(nil)
	}
	return Environment{
		GoVersion: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH,
		CPUCount: runtime.NumCPU(), GoMaxProcs: runtime.GOMAXPROCS(0),
		MemoryGB: memoryOf(readMeminfo()), Variables: variablesOf(variables),
	}
}

func variablesOf(variables config.Environ) Variables {
	set := func(name string) bool { return variables.Value(name, "") != "" }
	debug, err := variables.Bool("DEBUG", false)
	return Variables{
		Debug:     debug && err == nil,
		Preset:    plain(variables.Value("RESILIENCE_PRESET", "")),
		APIKeySet: set("API_KEY"), GeminiKeySet: set("GEMINI_API_KEY"),
		OpenAIKeySet: set("OPENAI_API_KEY"), AnthropicKeySet: set("ANTHROPIC_API_KEY"),
	}
}

// readMeminfo returns nothing where there is no such file.
func readMeminfo() []byte {
	content, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return nil
	}
	return content
}

// memoryOf returns what the line MemTotal of /proc/meminfo says, in GiB. The file's kB are KiB (proc_meminfo(5)).
func memoryOf(meminfo []byte) float64 {
	for line := range bytes.Lines(meminfo) {
		words := bytes.Fields(line)
		if len(words) == 3 && string(words[0]) == "MemTotal:" && string(words[2]) == "kB" {
			if kib, err := strconv.ParseUint(string(words[1]), 10, 53); err == nil {
				return float64(kib) / mebibyte
			}
		}
	}
	return 0
}
