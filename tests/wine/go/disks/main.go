// Lists raw disks and initializes them through WMI, late bound, as programs written with go-ole do.
// It prints a line for each: number, size as text, and what Initialize returned.
package main

import (
	"fmt"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	inProcess, localServer = 1, 4
	call, get              = 1, 2
	vtEmpty, vtI4, vtText  = 0, 3, 8
	vtBool, vtDispatch     = 11, 9
	vtUnknown              = 13
	newEnum                = -4
)

var (
	ole32          = syscall.NewLazyDLL("ole32.dll")
	oleaut32       = syscall.NewLazyDLL("oleaut32.dll")
	coInitialize   = ole32.NewProc("CoInitializeEx")
	classOf        = ole32.NewProc("CLSIDFromProgID")
	create         = ole32.NewProc("CoCreateInstance")
	allocate       = oleaut32.NewProc("SysAllocString")
	iidDispatch    = guid{0x00020400, 0, 0, [8]byte{0xC0, 0, 0, 0, 0, 0, 0, 0x46}}
	iidEnumVariant = guid{0x00020404, 0, 0, [8]byte{0xC0, 0, 0, 0, 0, 0, 0, 0x46}}
	iidNull, class guid
)

type guid struct {
	a    uint32
	b, c uint16
	d    [8]byte
}

type variant struct {
	kind  uint16
	_     [3]uint16
	value uint64
	_     uint64
}

type parameters struct {
	arguments *variant
	names     *int32
	count     uint32
	named     uint32
}

// object is a COM object; its first word leads to its functions.
type object struct{ functions *[16]uintptr }

func (o *object) invoke(at int, arguments ...uintptr) uintptr {
	all := append([]uintptr{uintptr(unsafe.Pointer(o))}, arguments...)
	result, _, _ := syscall.SyscallN(o.functions[at], all...)
	return result
}

// frame is what COM is given the address of: on the heap, where nothing moves.
type frame struct {
	id         int32
	name       *uint16
	parameters parameters
	arguments  [8]variant
	result     variant
	exception  [64]byte
	wrong      uint32
	count      uint32
	made       *object
}

var held *frame // what escapes lives on the heap

func newFrame() *frame {
	held = new(frame)
	return held
}

func (o *object) use(name string, how uintptr, arguments ...variant) variant {
	f := newFrame()
	f.id = newEnum
	if name != "_NewEnum" {
		f.name = utf16(name)
		must(o.invoke(5, address(&iidNull), address(&f.name), 1, 0, address(&f.id)))
	}
	for at, one := range arguments {
		f.arguments[len(arguments)-1-at] = one
	}
	f.parameters = parameters{arguments: &f.arguments[0], count: uint32(len(arguments))}
	must(o.invoke(6, uintptr(uint32(f.id)), address(&iidNull), 0, how,
		address(&f.parameters), address(&f.result), address(&f.exception), address(&f.wrong)))
	return f.result
}

func (o *object) each(visit func(*object)) {
	f := newFrame()
	must(asObject(o.use("_NewEnum", call|get)).invoke(0, address(&iidEnumVariant), address(&f.made)))
	for {
		row := newFrame()
		if f.made.invoke(3, 1, address(&row.result), address(&row.count)) != 0 || row.count == 0 {
			return
		}
		visit(asObject(row.result))
	}
}

func asObject(value variant) *object {
	if value.kind != vtDispatch && value.kind != vtUnknown {
		panic(fmt.Sprintf("no object but a variant of type %d", value.kind))
	}
	return *(**object)(unsafe.Pointer(&value.value))
}

func text(value string) variant {
	made, _, _ := allocate.Call(uintptr(unsafe.Pointer(utf16(value))))
	return variant{kind: vtText, value: uint64(made)}
}

func number(value int32) variant { return variant{kind: vtI4, value: uint64(uint32(value))} }

func (v variant) String() string {
	switch v.kind {
	case vtI4:
		return fmt.Sprint(int32(v.value))
	case vtBool:
		return fmt.Sprint(v.value&0xffff != 0)
	case vtText:
		var letters []uint16
		for at := *(*unsafe.Pointer)(unsafe.Pointer(&v.value)); *(*uint16)(at) != 0; at = unsafe.Add(at, 2) {
			letters = append(letters, *(*uint16)(at))
		}
		return fmt.Sprintf("%q", syscall.UTF16ToString(letters))
	}
	return fmt.Sprintf("variant of type %d", v.kind)
}

func utf16(value string) *uint16 {
	made, err := syscall.UTF16PtrFromString(value)
	if err != nil {
		panic(err)
	}
	return made
}

func address[T any](value *T) uintptr { return uintptr(unsafe.Pointer(value)) }

func must(result uintptr) {
	if int32(result) < 0 {
		panic(fmt.Sprintf("HRESULT 0x%08x", uint32(result)))
	}
}

func main() {
	runtime.LockOSThread()
	coInitialize.Call(0, 0)
	result, _, _ := classOf.Call(
		uintptr(unsafe.Pointer(utf16("WbemScripting.SWbemLocator"))), address(&class))
	must(result)
	f := newFrame()
	result, _, _ = create.Call(
		address(&class), 0, inProcess|localServer, address(&iidDispatch), address(&f.made))
	must(result)
	wmi := asObject(f.made.use("ConnectServer", call, text("."), text(`root\Microsoft\Windows\Storage`)))
	found := asObject(wmi.use("ExecQuery", call, text("SELECT * FROM MSFT_Disk WHERE PartitionStyle = 0")))
	found.each(func(disk *object) {
		fmt.Println(disk.use("Number", get), disk.use("Size", get), disk.use("IsOffline", get),
			disk.use("Initialize", call, number(2)))
	})
}
