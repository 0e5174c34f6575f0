// Package pipe connects to named pipes as Go programs of Windows do: overlapped, anonymous to the server, and
// waiting up to two seconds for a pipe that is busy.
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
	errorBrokenPipe = syscall.Errno(109)
	errorPipeBusy   = syscall.Errno(231)
	errorNoData     = syscall.Errno(232)
	sqosPresent     = 0x100000 // with SECURITY_ANONYMOUS, which is 0
)

var (
	kernel32            = syscall.NewLazyDLL("kernel32.dll")
	createEvent         = kernel32.NewProc("CreateEventW")
	getOverlappedResult = kernel32.NewProc("GetOverlappedResult")

	// Busy counts how often a pipe had no room for a client.
	Busy int64
)

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
			return newConnection(handle, name)
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

type direction struct {
	sync.Mutex
	overlapped syscall.Overlapped
}

type connection struct {
	handle syscall.Handle
	name   string
	read   direction
	write  direction
	closed int32
}

func newConnection(handle syscall.Handle, name string) (net.Conn, error) {
	made := &connection{handle: handle, name: name}
	for _, one := range []*direction{&made.read, &made.write} {
		event, _, err := createEvent.Call(0, 1, 0, 0)
		if event == 0 {
			return nil, err
		}
		one.overlapped.HEvent = syscall.Handle(event)
	}
	return made, nil
}

// Wait for an operation that was started, and give its bytes.
func (c *connection) finish(one *direction, started error) (int, error) {
	if started != nil && started != syscall.ERROR_IO_PENDING {
		return 0, started
	}
	var count uint32
	done, _, err := getOverlappedResult.Call(
		uintptr(c.handle), uintptr(unsafe.Pointer(&one.overlapped)), uintptr(unsafe.Pointer(&count)), 1)
	if done == 0 {
		return int(count), err
	}
	return int(count), nil
}

func (c *connection) Read(buffer []byte) (int, error) {
	c.read.Lock()
	defer c.read.Unlock()
	if atomic.LoadInt32(&c.closed) != 0 {
		return 0, io.EOF
	}
	count, err := c.finish(&c.read, syscall.ReadFile(c.handle, buffer, nil, &c.read.overlapped))
	if errors.Is(err, errorBrokenPipe) || errors.Is(err, errorNoData) {
		return count, io.EOF
	}
	return count, err
}

func (c *connection) Write(data []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	if atomic.LoadInt32(&c.closed) != 0 {
		return 0, io.ErrClosedPipe
	}
	return c.finish(&c.write, syscall.WriteFile(c.handle, data, nil, &c.write.overlapped))
}

func (c *connection) Close() error {
	if !atomic.CompareAndSwapInt32(&c.closed, 0, 1) {
		return nil
	}
	syscall.CancelIoEx(c.handle, nil)
	c.read.Lock()
	defer c.read.Unlock()
	c.write.Lock()
	defer c.write.Unlock()
	syscall.CloseHandle(c.read.overlapped.HEvent)
	syscall.CloseHandle(c.write.overlapped.HEvent)
	return syscall.CloseHandle(c.handle)
}

type address string

func (address) Network() string  { return "pipe" }
func (a address) String() string { return string(a) }

func (c *connection) LocalAddr() net.Addr              { return address(c.name) }
func (c *connection) RemoteAddr() net.Addr             { return address(c.name) }
func (c *connection) SetDeadline(time.Time) error      { return nil }
func (c *connection) SetReadDeadline(time.Time) error  { return nil }
func (c *connection) SetWriteDeadline(time.Time) error { return nil }
