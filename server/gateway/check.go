package gateway

import "fmt"

// CheckPlan says everything that is wrong with a plan, as [Gateway.Apply] does, and changes nothing. What is wrong with the policy of a target begins with
// Operations["target/NAME"].Policy. It connects to nothing.
func CheckPlan(p Plan) error {
	if _, err := compile(p); err != nil {
		return fmt.Errorf("gateway plan: %w", err)
	}
	return nil
}
