package api

import (
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/trysail-go/trysail/config"
)

type (
	validationView struct {
		Valid       bool                 `json:"is_valid" doc:"Whether there are no errors."`
		Errors      []string             `json:"errors" nullable:"false"`
		Warnings    []string             `json:"warnings" nullable:"false" doc:"What is allowed, but may be a mistake."`
		Suggestions []string             `json:"suggestions" nullable:"false" doc:"What to do about errors and warnings, and what could be better."`
		Security    orNull[securityView] `json:"security_info" doc:"Null where the security of the configuration was not asked for."`
	}

	securityView struct {
		Size        int       `json:"size_bytes" doc:"Of the configuration as it was received."`
		MaxSize     int       `json:"max_size_bytes"`
		Fields      int       `json:"field_count" doc:"Fields that the configuration gives, known or not; 0 if it cannot be read."`
		ValidatedAt time.Time `json:"validation_timestamp"`
	}

	batchView struct {
		Results []validationView `json:"results" nullable:"false" doc:"In the order of the configurations."`
		Summary batchSummaryView `json:"summary"`
	}

	batchSummaryView struct {
		Total   int `json:"total"`
		Valid   int `json:"valid"`
		Invalid int `json:"invalid"`
	}

	// validatedView is one of its fields: the answer has the shape of the question.
	validatedView struct {
		one   *validationView
		batch *batchView
	}

	whitelistView struct {
		Valid       bool                 `json:"is_valid" doc:"Whether there are no errors."`
		Errors      []string             `json:"errors" nullable:"false"`
		Warnings    []string             `json:"warnings" nullable:"false"`
		Suggestions []string             `json:"suggestions" nullable:"false"`
		Analysis    map[string]fieldView `json:"field_analysis" doc:"By field; empty if the configuration cannot be read."`
		Allowed     []string             `json:"allowed_fields" nullable:"false" doc:"In the order in which fields are listed everywhere."`
		ValidatedAt time.Time            `json:"validation_timestamp"`
	}

	fieldView struct {
		Allowed      bool             `json:"allowed"`
		Type         string           `json:"type,omitempty" enum:"int,float,bool,string,object" doc:"Only of a field that is allowed."`
		Constraints  *constraintsView `json:"constraints,omitempty" doc:"Only of a field that is allowed."`
		CurrentValue json.RawMessage  `json:"current_value" doc:"Null for a field that is not allowed: it may be a secret at the wrong place."`
		CurrentType  string           `json:"current_type" enum:"int,float,bool,str,dict,list,NoneType"`
	}

	constraintsView struct {
		Min           *float64 `json:"min,omitempty"`
		Max           *float64 `json:"max,omitempty"`
		Enum          []string `json:"enum,omitempty" nullable:"false" doc:"The values, or those of the members of an object."`
		MaxProperties *int     `json:"max_properties,omitempty"`
	}

	securityConfigView struct {
		Limits   securityLimitsView `json:"security_limits"`
		Rates    ratesView          `json:"rate_limiting"`
		Content  contentView        `json:"content_filtering"`
		Allowed  []string           `json:"allowed_fields" nullable:"false"`
		Patterns int                `json:"forbidden_pattern_count"`
		Features []string           `json:"validation_features" nullable:"false"`
	}

	securityLimitsView struct {
		Size       int `json:"max_config_size_bytes"`
		Text       int `json:"max_string_length" doc:"Characters, of keys as well."`
		Items      int `json:"max_array_items"`
		Properties int `json:"max_object_properties"`
		Depth      int `json:"max_nesting_depth"`
	}

	ratesView struct {
		PerMinute int     `json:"max_validations_per_minute" doc:"Of each client address, all validations together."`
		PerHour   int     `json:"max_validations_per_hour"`
		Cooldown  float64 `json:"validation_cooldown_seconds"`
	}

	contentView struct {
		Codepoint  int      `json:"max_unicode_codepoint"`
		Categories []string `json:"forbidden_unicode_categories" nullable:"false"`
		Repeated   int      `json:"max_repeated_chars" doc:"In a row; more are a warning."`
	}

	rateView struct {
		Client    string         `json:"client_identifier" doc:"An IPv6 address counts by the first 64 bits."`
		Status    rateStatusView `json:"current_status"`
		Limits    rateLimitsView `json:"limits"`
		CheckedAt time.Time      `json:"check_timestamp"`
	}

	rateStatusView struct {
		LastMinute      int     `json:"requests_last_minute"`
		LastHour        int     `json:"requests_last_hour"`
		MaxMinute       int     `json:"max_per_minute"`
		MaxHour         int     `json:"max_per_hour"`
		Cooldown        float64 `json:"cooldown_remaining" doc:"Seconds."`
		RemainingMinute int     `json:"remaining_minute"`
		RemainingHour   int     `json:"remaining_hour"`
	}

	rateLimitsView struct {
		PerMinute int     `json:"max_validations_per_minute"`
		PerHour   int     `json:"max_validations_per_hour"`
		Cooldown  float64 `json:"cooldown_seconds"`
	}
)

func viewOfReport(report config.Report) validationView {
	return validationView{
		Valid:       report.Valid(),
		Errors:      messagesOf(report.Errors),
		Warnings:    messagesOf(report.Warnings),
		Suggestions: listOf(report.Suggestions),
	}
}

// MarshalJSON implements [json.Marshaler].
func (v validatedView) MarshalJSON() ([]byte, error) {
	if v.batch != nil {
		return encode(v.batch)
	}
	return encode(v.one)
}

// Schema implements [huma.SchemaProvider].
func (validatedView) Schema(r huma.Registry) *huma.Schema {
	return &huma.Schema{AnyOf: []*huma.Schema{
		r.Schema(typeOf[validationView](), true, ""), r.Schema(typeOf[batchView](), true, ""),
	}}
}

// A clientName is whom a client asks for: as [pathName], but of a query.
type clientName string

// Schema implements [huma.SchemaProvider].
func (clientName) Schema(r huma.Registry) *huma.Schema { return pathName("").Schema(r) }
