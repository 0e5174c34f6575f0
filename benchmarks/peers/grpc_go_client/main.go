// A grpc-go client that keeps calls of grpc.health.v1.Health/Check up.
//
// Arguments: socket, calls at the same time, connections, seconds.  It prints a line of JSON: how many calls
// were made, and the median of their latencies in seconds.
package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	calls, connections := number(os.Args[2]), number(os.Args[3])
	var clients []healthpb.HealthClient
	for len(clients) < int(connections) {
		clients = append(clients, dial(os.Args[1]))
	}
	latencies := make([][]float64, int(calls))
	end := time.Now().Add(time.Duration(number(os.Args[4]) * float64(time.Second)))
	var group sync.WaitGroup
	for at := range latencies {
		group.Add(1)
		go func(at int) {
			defer group.Done()
			client := clients[at%len(clients)]
			for now := time.Now(); now.Before(end); {
				_, err := client.Check(context.Background(), &healthpb.HealthCheckRequest{})
				check(err)
				then := now
				now = time.Now()
				latencies[at] = append(latencies[at], now.Sub(then).Seconds())
			}
		}(at)
	}
	group.Wait()
	var all []float64
	for _, some := range latencies {
		all = append(all, some...)
	}
	sort.Float64s(all)
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{"calls": len(all), "p50": all[len(all)/2]}))
}

func dial(socket string) healthpb.HealthClient {
	dialer := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	connected, err := grpc.Dial("bench", grpc.WithInsecure(), grpc.WithBlock(), grpc.WithContextDialer(dialer))
	check(err)
	return healthpb.NewHealthClient(connected)
}

func number(text string) float64 {
	value, err := strconv.ParseFloat(text, 64)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
