package main

import "github.com/trysail-go/trysail"

// observers tells several of the engine's events. Nil ones are left out.
func observers(all ...func(trysail.Event)) func(trysail.Event) {
	return func(e trysail.Event) {
		for _, observe := range all {
			if observe != nil {
				observe(e)
			}
		}
	}
}
