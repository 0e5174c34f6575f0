// A grpc-go server on a pipe, with its own health service. Argument: the pipe.
package main

import (
	"fmt"
	"os"

	"csiproxytest/pipe"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
)

func main() {
	listener, err := pipe.Listen(os.Args[1], 8)
	if err != nil {
		panic(err)
	}
	server := grpc.NewServer()
	healthpb.RegisterHealthServer(server, health.NewServer())
	fmt.Println("ready")
	if err := server.Serve(listener); err != nil {
		panic(err)
	}
}
