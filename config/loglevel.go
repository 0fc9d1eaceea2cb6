package config

import (
	"fmt"
	"slices"
	"strings"
)

// A LogLevel is how much a program logs.
type LogLevel string

// The levels, from the one that logs most.
const (
	LogDebug    LogLevel = "DEBUG"
	LogInfo     LogLevel = "INFO"
	LogWarning  LogLevel = "WARNING"
	LogError    LogLevel = "ERROR"
	LogCritical LogLevel = "CRITICAL"
)

// LogLevels returns all levels in the order above.
func LogLevels() []LogLevel {
	return []LogLevel{LogDebug, LogInfo, LogWarning, LogError, LogCritical}
}

// ParseLogLevel returns the level of that name, in any case and with space around it. WARN is WARNING; "" is INFO.
func ParseLogLevel(name string) (LogLevel, error) {
	level := LogLevel(strings.ToUpper(strings.TrimSpace(name)))
	if level == "" {
		return LogInfo, nil
	}
	if level == "WARN" {
		return LogWarning, nil
	}
	if !slices.Contains(LogLevels(), level) {
		return "", fmt.Errorf("log level is %q, want DEBUG, INFO, WARNING, ERROR or CRITICAL", short(name))
	}
	return level, nil
}
