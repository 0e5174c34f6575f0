// Many grpc-go clients at once: each dials a pipe of its own choice, all at the same moment, and makes calls.
//
// Arguments: clients, calls of each, method, request (base64), pipes...  It prints a line of JSON: calls that
// were answered, errors, how often a pipe was busy, and the median latency in seconds.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"sort"
	"strconv"
	"sync"
	"time"

	"csiproxytest/pipe"

	"google.golang.org/grpc"
)

type raw struct{}

func (raw) Marshal(value interface{}) ([]byte, error) { return *value.(*[]byte), nil }

func (raw) Unmarshal(data []byte, value interface{}) error {
	*value.(*[]byte) = append([]byte(nil), data...)
	return nil
}

func (raw) Name() string { return "proto" }

func main() {
	clients, calls := number(os.Args[1]), number(os.Args[2])
	method, pipes := os.Args[3], os.Args[5:]
	request, err := base64.StdEncoding.DecodeString(os.Args[4])
	check(err)
	var lock sync.Mutex
	var latencies []float64
	problems := []string{}
	begin := make(chan struct{})
	var group sync.WaitGroup
	for at := 0; at < clients; at++ {
		group.Add(1)
		go func(name string) {
			defer group.Done()
			<-begin
			took, err := use(name, calls, method, request)
			lock.Lock()
			defer lock.Unlock()
			latencies = append(latencies, took...)
			if err != nil {
				problems = append(problems, err.Error())
			}
		}(pipes[at%len(pipes)])
	}
	close(begin)
	group.Wait()
	sort.Float64s(latencies)
	median := 0.0
	if len(latencies) > 0 {
		median = latencies[len(latencies)/2]
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]interface{}{
		"answered": len(latencies), "errors": problems, "busy": pipe.Busy, "p50": median,
	}))
}

func use(name string, calls int, method string, request []byte) ([]float64, error) {
	var took []float64
	dialer := func(context.Context, string) (net.Conn, error) { return pipe.Dial(name) }
	connected, err := grpc.Dial(name, grpc.WithInsecure(), grpc.WithContextDialer(dialer))
	if err != nil {
		return took, err
	}
	defer connected.Close()
	for at := 0; at < calls; at++ {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		began := time.Now()
		var reply []byte
		err := connected.Invoke(ctx, method, &request, &reply, grpc.ForceCodec(raw{}), grpc.WaitForReady(true))
		cancel()
		if err != nil {
			return took, err
		}
		took = append(took, time.Since(began).Seconds())
	}
	return took, nil
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
