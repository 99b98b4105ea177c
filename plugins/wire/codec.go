package wire

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // registers the codec that this one wraps
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// maxMessages bounds the messages nested in one message. Protobuf makes an object of a
// hundred bytes and more out of each, which may have come as two.
const maxMessages = 300_000

// codec is protobuf, with two differences in how, and none in what: the chunks of a read
// are neither copied into messages nor out of them, and a message is looked through
// before memory is taken for what it says it holds.
type codec struct{ encoding.CodecV2 }

// Codec gives the codec that both sides put around gRPC's own.
func Codec() encoding.CodecV2 { return codec{encoding.GetCodecV2("proto")} }

// chunkTag begins a ReadEvent that is a chunk.
var chunkTag = protowire.AppendTag(nil, 3, protowire.BytesType)

// Marshal writes an Event, or any message. The caller's reference to a chunk stays its own.
func (c codec) Marshal(v any) (mem.BufferSlice, error) {
	ev, ok := v.(*Event)
	if !ok {
		return c.CodecV2.Marshal(v)
	}
	if ev.message != nil {
		return c.CodecV2.Marshal(ev.message)
	}
	head := protowire.AppendVarint(append([]byte(nil), chunkTag...), uint64(ev.chunk.Len()))
	ev.chunk.Ref()
	return append(mem.BufferSlice{mem.SliceBuffer(head)}, ev.chunk...), nil
}

// Unmarshal reads an Event, or any message.
func (c codec) Unmarshal(data mem.BufferSlice, v any) error {
	ev, ok := v.(*Event)
	if ok {
		if skip, isChunk := chunkHead(data); isChunk {
			data.Ref()
			*ev = Event{chunk: skipBytes(data, skip)}
			return nil
		}
		*ev = Event{message: &wirev1.ReadEvent{}}
		v = ev.message
	}
	m, isMessage := v.(proto.Message)
	if !isMessage || m.ProtoReflect().Descriptor().ParentFile() != wirev1.File_plugin_proto {
		return c.CodecV2.Unmarshal(data, v)
	}
	buf := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buf.Free()
	budget := maxMessages
	if err := countMessages(m.ProtoReflect().Descriptor(), buf.ReadOnlyData(), 0, &budget); err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	return proto.Unmarshal(buf.ReadOnlyData(), m)
}

// chunkHead reports whether data is a chunk and nothing else, and how many bytes stand
// before its content.
func chunkHead(data mem.BufferSlice) (int, bool) {
	b := make([]byte, 0, 12)
	for _, piece := range data {
		p := piece.ReadOnlyData()
		b = append(b, p[:min(len(p), cap(b)-len(b))]...)
	}
	if len(b) < 2 || b[0] != chunkTag[0] {
		return 0, false
	}
	n, size := protowire.ConsumeVarint(b[1:])
	return 1 + size, size > 0 && n > 0 && n == uint64(data.Len()-1-size)
}

// skipBytes drops the first n bytes; it takes over the references.
func skipBytes(data mem.BufferSlice, n int) mem.BufferSlice {
	for n > 0 && len(data) > 0 {
		if size := data[0].Len(); size <= n {
			data[0].Free()
			data, n = data[1:], n-size
			continue
		}
		whole := data[0]
		rest := append(mem.BufferSlice{whole.Slice(n, whole.Len())}, data[1:]...)
		whole.Free()
		return rest
	}
	return data
}

// countMessages walks through an encoded message and takes one from the budget for every
// message in it and every element of a list.
func countMessages(d protoreflect.MessageDescriptor, b []byte, depth int, budget *int) error {
	if depth > 4*maxDepth {
		return errors.New("messages are nested too deep")
	}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return protowire.ParseError(n)
			}
			b = b[n:]
			continue
		}
		content, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		f := d.Fields().ByNumber(number)
		if f == nil || f.Message() == nil && !f.IsList() {
			continue
		}
		if *budget--; *budget < 0 {
			return fmt.Errorf("it holds more than %d messages", maxMessages)
		}
		if f.Message() != nil {
			if err := countMessages(f.Message(), content, depth+1, budget); err != nil {
				return err
			}
		}
	}
	return nil
}
