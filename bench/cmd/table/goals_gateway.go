package main

import "fmt"

// gatewayGoals are those of the gateway, with all that it does switched on, beside a bare httputil.ReverseProxy in the same run.
func gatewayGoals() []goal {
	const cpu, reverse = "cpu-us/req", "reverse-proxy"
	var list []goal
	for _, connections := range []int{1, 32, 128} {
		group := fmt.Sprintf("Plain%d", connections)
		list = append(list, goal{
			what: fmt.Sprintf("connections: %d, time per request against a bare reverse proxy", connections),
			of:   trysail(group, timeUnit), over: figure{group, reverse, timeUnit}, most: 1,
		}, goal{
			what: fmt.Sprintf("connections: %d, processor time per request against a bare reverse proxy", connections),
			of:   trysail(group, cpu), over: figure{group, reverse, cpu}, most: 1.25,
		})
	}
	return append(list,
		goal{
			what: "1 connection: added to the median request",
			of:   trysail("Plain1", "p50-us"), minus: figure{"Plain1", "direct", "p50-us"}, most: 200,
		},
		goal{
			what: "1 stream: added to the time of the first token",
			of:   trysail("Stream1", "first-us"), minus: figure{"Stream1", "direct", "first-us"}, most: 300,
		},
		goal{what: "resident memory when idle", of: trysail("Start", "idle-MiB"), most: 40},
		goal{what: "resident memory with 1,000 open streams", of: trysail("Open", "open-MiB"), most: 200},
		goal{what: "from the start to ready", of: trysail("Start", "ready-ms"), most: 300},
	)
}
