// Package pipe has named pipes as Go programs of Windows use them: overlapped, on one completion port without
// packets for what ends at once. Clients are anonymous to the server and wait up to two seconds for a pipe that
// is busy.
package pipe

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	errorBrokenPipe    = syscall.Errno(109)
	errorPipeBusy      = syscall.Errno(231)
	errorNoData        = syscall.Errno(232)
	errorPipeConnected = syscall.Errno(535)
	sqosPresent        = 0x100000 // with SECURITY_ANONYMOUS, which is 0
	duplexOverlapped   = 0x40000003
	rejectRemote       = 8
	unlimited          = 255
	skipOnSuccess      = 3
)

var (
	kernel32         = syscall.NewLazyDLL("kernel32.dll")
	createNamedPipe  = kernel32.NewProc("CreateNamedPipeW")
	connectNamedPipe = kernel32.NewProc("ConnectNamedPipe")
	setModes         = kernel32.NewProc("SetFileCompletionNotificationModes")

	// Busy counts how often a pipe had no room for a client.
	Busy int64

	port     syscall.Handle
	portOnce sync.Once
)

type operation struct {
	overlapped syscall.Overlapped
	ended      chan error
	count      uint32
}

// The operations that a packet may come of, by address: the system writes into them until it has.
var underWay = struct {
	sync.Mutex
	operations map[*syscall.Overlapped]*operation
}{operations: map[*syscall.Overlapped]*operation{}}

// Run starts an operation and waits for its end; gives its bytes.
func (o *operation) run(start func(*syscall.Overlapped, *uint32) error) (int, error) {
	underWay.Lock()
	underWay.operations[&o.overlapped] = o
	underWay.Unlock()
	var count uint32
	err := start(&o.overlapped, &count)
	if err == syscall.ERROR_IO_PENDING {
		err = <-o.ended
		return int(o.count), err
	}
	underWay.Lock()
	delete(underWay.operations, &o.overlapped)
	underWay.Unlock()
	return int(count), err
}

// Put a handle on the port, whose packets wake who waits for them.
func associate(handle syscall.Handle) error {
	var err error
	portOnce.Do(func() {
		if port, err = syscall.CreateIoCompletionPort(syscall.InvalidHandle, 0, 0, 0); err == nil {
			go serve()
		}
	})
	if err != nil {
		return err
	}
	if _, err = syscall.CreateIoCompletionPort(handle, port, 0, 0); err != nil {
		return err
	}
	if done, _, err := setModes.Call(uintptr(handle), skipOnSuccess); done == 0 {
		return err
	}
	return nil
}

func serve() {
	for {
		var count, key uint32
		var address *syscall.Overlapped
		err := syscall.GetQueuedCompletionStatus(port, &count, &key, &address, syscall.INFINITE)
		if address == nil {
			panic(err)
		}
		underWay.Lock()
		ended := underWay.operations[address]
		delete(underWay.operations, address)
		underWay.Unlock()
		if ended != nil {
			ended.count = count
			ended.ended <- err
		}
	}
}

// Dial connects to a pipe.
func Dial(name string) (net.Conn, error) {
	path, err := syscall.UTF16PtrFromString(name)
	if err != nil {
		return nil, err
	}
	access := uint32(syscall.GENERIC_READ | syscall.GENERIC_WRITE)
	flags := uint32(syscall.FILE_FLAG_OVERLAPPED | sqosPresent)
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		handle, err := syscall.CreateFile(path, access, 0, nil, syscall.OPEN_EXISTING, flags, 0)
		if err == nil {
			if err := associate(handle); err != nil {
				return nil, err
			}
			return newConnection(handle, name), nil
		}
		if !errors.Is(err, errorPipeBusy) {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
		atomic.AddInt64(&Busy, 1)
		if time.Now().After(end) {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

type listener struct {
	name    string
	clients chan net.Conn
}

// Listen serves at a pipe, with some instances waiting at a time. It ends with the program.
func Listen(name string, waiting int) (net.Listener, error) {
	made := &listener{name: name, clients: make(chan net.Conn)}
	for ; waiting > 0; waiting-- {
		first, err := made.instance()
		if err != nil {
			return nil, err
		}
		go made.await(first)
	}
	return made, nil
}

func (l *listener) instance() (syscall.Handle, error) {
	path, err := syscall.UTF16PtrFromString(l.name)
	if err != nil {
		return 0, err
	}
	made, _, err := createNamedPipe.Call(
		uintptr(unsafe.Pointer(path)), duplexOverlapped, rejectRemote, unlimited, 16384, 16384, 0, 0)
	if syscall.Handle(made) == syscall.InvalidHandle {
		return 0, err
	}
	return syscall.Handle(made), associate(syscall.Handle(made))
}

func (l *listener) await(handle syscall.Handle) {
	for {
		waits := &operation{ended: make(chan error, 1)}
		_, came := waits.run(func(overlapped *syscall.Overlapped, _ *uint32) error {
			done, _, err := connectNamedPipe.Call(uintptr(handle), uintptr(unsafe.Pointer(overlapped)))
			if done == 0 {
				return err
			}
			return nil
		})
		next, err := l.instance() // first: without any the pipe's name would be gone
		if err != nil {
			panic(err)
		}
		if came == nil || errors.Is(came, errorPipeConnected) {
			l.clients <- newConnection(handle, l.name)
		} else {
			syscall.CloseHandle(handle)
		}
		handle = next
	}
}

func (l *listener) Accept() (net.Conn, error) { return <-l.clients, nil }
func (l *listener) Close() error              { return nil }
func (l *listener) Addr() net.Addr            { return address(l.name) }

type direction struct {
	sync.Mutex
	operation operation
}

type connection struct {
	handle   syscall.Handle
	name     string
	read     direction
	write    direction
	starting sync.Mutex // what was started before the end is cancelled by it, and nothing starts after it
	closed   bool
}

func newConnection(handle syscall.Handle, name string) net.Conn {
	made := &connection{handle: handle, name: name}
	made.read.operation.ended = make(chan error, 1)
	made.write.operation.ended = make(chan error, 1)
	return made
}

func (c *connection) Read(buffer []byte) (int, error) {
	count, err := c.transfer(&c.read, syscall.ReadFile, buffer)
	if errors.Is(err, errorBrokenPipe) || errors.Is(err, errorNoData) || errors.Is(err, io.ErrClosedPipe) {
		return count, io.EOF
	}
	return count, err
}

func (c *connection) Write(data []byte) (int, error) {
	return c.transfer(&c.write, syscall.WriteFile, data)
}

type transfer func(syscall.Handle, []byte, *uint32, *syscall.Overlapped) error

func (c *connection) transfer(way *direction, function transfer, data []byte) (int, error) {
	way.Lock()
	defer way.Unlock()
	return way.operation.run(func(overlapped *syscall.Overlapped, count *uint32) error {
		c.starting.Lock()
		defer c.starting.Unlock()
		if c.closed {
			return io.ErrClosedPipe
		}
		return function(c.handle, data, count, overlapped)
	})
}

func (c *connection) Close() error {
	c.starting.Lock()
	first := !c.closed
	if c.closed = true; first {
		syscall.CancelIoEx(c.handle, nil)
	}
	c.starting.Unlock()
	c.read.Lock()
	defer c.read.Unlock()
	c.write.Lock()
	defer c.write.Unlock()
	if first {
		return syscall.CloseHandle(c.handle)
	}
	return nil
}

type address string

func (address) Network() string  { return "pipe" }
func (a address) String() string { return string(a) }

func (c *connection) LocalAddr() net.Addr              { return address(c.name) }
func (c *connection) RemoteAddr() net.Addr             { return address(c.name) }
func (c *connection) SetDeadline(time.Time) error      { return nil }
func (c *connection) SetReadDeadline(time.Time) error  { return nil }
func (c *connection) SetWriteDeadline(time.Time) error { return nil }
