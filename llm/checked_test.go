package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/trysail-go/trysail"
	"github.com/trysail-go/trysail/llm"
)

func replaced(pattern, word string) string { return strings.Replace(pattern, "%s", word, 1) }

func TestChecks(t *testing.T) {
	for name, tc := range map[string]struct {
		check func(string) error
		text  string
		want  string // part of the error; empty for none
	}{
		"some text":             {llm.NotEmpty, " x ", ""},
		"no text":               {llm.NotEmpty, "", "empty"},
		"white space":           {llm.NotEmpty, " \n\t", "empty"},
		"an object":             {llm.ValidJSON, ` {"a": [1, null]} `, ""},
		"a number":              {llm.ValidJSON, "1", ""},
		"nothing":               {llm.ValidJSON, " ", "empty"},
		"an object that is cut": {llm.ValidJSON, `{"a": 1`, "byte 7 of 7"},
		"a fault":               {llm.ValidJSON, `{"a": x}`, "byte 7 of 8"},
		"words around it":       {llm.ValidJSON, "Here it is: {}", "byte 1 of 14"},
		"two documents":         {llm.ValidJSON, "{} {}", "byte 4 of 5"},
	} {
		t.Run(name, func(t *testing.T) {
			switch err := tc.check(tc.text); {
			case tc.want == "" && err != nil:
				t.Errorf("check(%q) = %v, want nil", tc.text, err)
			case tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)):
				t.Errorf("check(%q) = %v, want %q in it", tc.text, err, tc.want)
			}
		})
	}
	if !errors.Is(llm.ValidJSON(""), llm.ErrEmpty) {
		t.Error("ValidJSON of nothing is not ErrEmpty")
	}
}

func TestFinished(t *testing.T) {
	for want, words := range map[error]string{
		nil:            "stop STOP end_turn tool_use tool_calls COMPLETE STOP_SEQUENCE pause_turn FINISH_REASON_UNSPECIFIED OTHER moon " + strings.Repeat("x", 99),
		llm.ErrCutOff:  "length MAX_TOKENS max_tokens max_output_tokens model_length model_context_window_exceeded",
		llm.ErrRefused: "content_filter refusal SAFETY RECITATION PROHIBITED_CONTENT guardrail_intervened ERROR_TOXIC",
	} {
		for word := range strings.FieldsSeq(words) {
			if err := llm.Finished(word); !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Errorf("Finished(%q) = %v, want %v", word, err, want)
			}
		}
	}
	if err := llm.Finished(""); err != nil {
		t.Errorf("Finished of nothing = %v", err)
	}
	if err := llm.Finished("MALFORMED_FUNCTION_CALL"); err == nil || errors.Is(err, llm.ErrRefused) {
		t.Errorf("Finished of a malformed call = %v, want that the model broke off", err)
	}
	refused := 0
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Attempts: 5, Backoff: trysail.BackoffNone}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = trysail.Do(t.Context(), orc.Operation("ask"), llm.Checked(func(context.Context) (string, error) { refused++; return "refusal", nil }, llm.Finished))
	if refused != 2 || !errors.Is(err, llm.ErrRefused) || trysail.Classify(err) != trysail.ClassBadAnswer {
		t.Errorf("%d attempts with %v, want one retry of a bad answer", refused, err)
	}
}

func TestChecked(t *testing.T) {
	errDown := errors.New("down")
	answers := func(text string, err error) func(context.Context) (string, error) {
		return func(context.Context) (string, error) { return text, err }
	}
	if text, err := llm.Checked(answers("x", errDown), llm.NotEmpty)(t.Context()); text != "x" || !errors.Is(err, errDown) {
		t.Errorf("Checked() = %q, %v; want fn's own", text, err)
	}
	text, err := llm.Checked(answers(" ", nil), llm.NotEmpty)(t.Context())
	if text != " " || !errors.Is(err, llm.ErrEmpty) || trysail.Classify(err) != trysail.ClassBadAnswer {
		t.Errorf("Checked() = %q, %v; want the answer beside a bad one's error", text, err)
	}
	if text, err := llm.Checked(answers("x", nil), nil)(t.Context()); text != "x" || err != nil {
		t.Errorf("without a check: %q, %v; want fn itself", text, err)
	}
	if llm.Checked(nil, llm.NotEmpty) != nil {
		t.Error("Checked(nil) is a function, want nil, of which Do says what is wrong")
	}
}

// A model that answers with words at first is asked once more.
func ExampleChecked() {
	orc, err := trysail.New(trysail.Config{Default: trysail.Policy{Retry: trysail.RetryPolicy{Backoff: trysail.BackoffNone}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	answers := []string{"Sure! Here is your JSON.", `{"city": "Kiel"}`}
	ask := func(context.Context) (answer string, err error) {
		answer, answers = answers[0], answers[1:]
		return answer, nil
	}
	fmt.Println(trysail.Do(context.Background(), orc.Operation("ask"), llm.Checked(ask, llm.ValidJSON)))
	// Output: {"city": "Kiel"} <nil>
}
