// A grpc-go client that behaves like the Go clients of Windows CSI drivers, told what to call by a test.
//
// Each line of standard input is a call: {"socket", "target", "path", "request" (base64), "raw"}.  Each line of
// standard output is its answer: {"reply"} or {"code", "message", "details"}.  Messages are decoded and encoded
// by generated Go code, except for raw calls.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	oldproto "github.com/golang/protobuf/proto" // which grpc-go's own messages are made for
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

type call struct {
	Socket  string
	Target  string
	Path    string
	Request []byte
	Raw     bool
}

type answer struct {
	Reply   []byte `json:"reply"`
	Code    int    `json:"code"`
	Message string `json:"message"`
	Details []byte `json:"details"`
}

// The codec of today's generated messages, whatever release of grpc-go is linked.
type codec struct{}

func (codec) Marshal(value interface{}) ([]byte, error) {
	if raw, ok := value.(*[]byte); ok {
		return *raw, nil
	}
	return proto.Marshal(value.(proto.Message))
}

func (codec) Unmarshal(data []byte, value interface{}) error {
	if raw, ok := value.(*[]byte); ok {
		*raw = append([]byte(nil), data...)
		return nil
	}
	return proto.Unmarshal(data, value.(proto.Message))
}

func (codec) Name() string { return "proto" }

var connections = map[string]*grpc.ClientConn{}

// As the generated clients do: a first connection that proves the endpoint is there and is never used nor
// closed, then a lazy one whose authority is the target as it stands, backslashes and all.
func connect(socket, target string) (*grpc.ClientConn, error) {
	if known := connections[socket]; known != nil {
		return known, nil
	}
	if _, err := net.Dial("unix", socket); err != nil {
		return nil, err
	}
	dialer := func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	connected, err := grpc.Dial(target, grpc.WithInsecure(), grpc.WithContextDialer(dialer))
	if err == nil {
		connections[socket] = connected
	}
	return connected, err
}

func message(name protoreflect.FullName) (proto.Message, error) {
	found, err := protoregistry.GlobalTypes.FindMessageByName(name)
	if err != nil {
		return nil, err
	}
	return found.New().Interface(), nil
}

// The messages of a method, by its path "/v1.Disk/Rescan".
func messages(path string) (proto.Message, proto.Message, error) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(parts[0]))
	if err != nil {
		return nil, nil, err
	}
	method := found.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(parts[1]))
	request, err := message(method.Input().FullName())
	if err != nil {
		return nil, nil, err
	}
	reply, err := message(method.Output().FullName())
	return request, reply, err
}

func serve(one call) (result answer) {
	connected, err := connect(one.Socket, one.Target)
	if err != nil {
		return answer{Code: int(codes.Unavailable), Message: err.Error()}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	options := []grpc.CallOption{grpc.ForceCodec(codec{})}
	if one.Raw {
		var reply []byte
		err = connected.Invoke(ctx, one.Path, &one.Request, &reply, options...)
		result.Reply = reply
	} else {
		request, reply, problem := messages(one.Path)
		if problem == nil {
			problem = proto.Unmarshal(one.Request, request)
		}
		if problem != nil {
			panic(problem)
		}
		if err = connected.Invoke(ctx, one.Path, request, reply, options...); err == nil {
			if result.Reply, err = proto.Marshal(reply); err != nil {
				panic(err)
			}
		}
	}
	if err != nil {
		// grpc-go takes grpc-status-details-bin apart itself.
		said := status.Convert(err)
		result.Code, result.Message = int(said.Code()), said.Message()
		if len(said.Proto().GetDetails()) > 0 {
			if result.Details, err = oldproto.Marshal(said.Proto()); err != nil {
				panic(err)
			}
		}
	}
	return result
}

func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	for {
		line, err := input.ReadBytes('\n')
		if err != nil {
			return
		}
		var one call
		if err := json.Unmarshal(line, &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if err := output.Encode(serve(one)); err != nil {
			return
		}
	}
}
