package main

import (
	"bytes"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host/testdata/numbers"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// Read sends two good frames and tells one lie.
func (s *server) Read(_ *wirev1.ReadRequest, stream grpc.ServerStreamingServer[wirev1.ReadEvent]) error {
	switch s.act {
	case "hang":
		time.Sleep(time.Hour)
	case "heartbeats":
		return s.beat(stream)
	case "no end":
		return nil
	case "chunk first":
		return stream.Send(&wirev1.ReadEvent{Event: &wirev1.ReadEvent_Chunk{Chunk: []byte("x")}})
	case "empty event":
		return stream.Send(&wirev1.ReadEvent{})
	case "giant message":
		return stream.Send(&wirev1.ReadEvent{Event: &wirev1.ReadEvent_Chunk{Chunk: bytes.Repeat([]byte("x"), wire.MessageLimit+1)}})
	case "many fields":
		fields := make([]*wirev1.SchemaField, 1<<20)
		for i := range fields {
			fields[i] = &wirev1.SchemaField{}
		}
		return stream.Send(&wirev1.ReadEvent{Event: &wirev1.ReadEvent_Schema{
			Schema: &wirev1.SchemaEvent{Id: 1, Schema: &wirev1.Schema{Fields: fields}}}})
	}
	enc := wire.NewEncoder(memory.DefaultAllocator, 0, func(ev *wire.Event) error { return s.lie(stream, ev.Message()) })
	for i := range int64(2) {
		rows := numbers.Rows(core.ReadRequest{}, 100*i, 100*i+100)
		mark := wire.Mark{Rows: rows.NumRows(), After: core.State(`{}`)}
		if err := enc.Write(rows, core.OpUpsert, []wire.Mark{mark}); err != nil {
			return err
		}
	}
	return enc.End()
}

// beat never says anything but that it lives.
func (s *server) beat(stream grpc.ServerStreamingServer[wirev1.ReadEvent]) error {
	for {
		if err := stream.Send(&wirev1.ReadEvent{Event: &wirev1.ReadEvent_Heartbeat{Heartbeat: &wirev1.Heartbeat{}}}); err != nil {
			return err
		}
	}
}

func (s *server) lie(stream grpc.ServerStreamingServer[wirev1.ReadEvent], ev *wirev1.ReadEvent) error {
	if f := ev.GetFrame(); f != nil && f.Seq == 2 {
		s.lieInFrame(f)
	}
	if c, ok := ev.GetEvent().(*wirev1.ReadEvent_Chunk); ok {
		switch s.act {
		case "flipped bit":
			c.Chunk[len(c.Chunk)/2] ^= 4
		case "short body":
			c.Chunk = c.Chunk[:len(c.Chunk)-8]
		case "long body":
			c.Chunk = append(bytes.Clone(c.Chunk), 0)
		case "cut off":
			return nil
		}
	}
	if e := ev.GetEnd(); e != nil && s.act == "wrong totals" {
		e.Rows--
	}
	return stream.Send(ev)
}

func (s *server) lieInFrame(f *wirev1.Frame) {
	switch s.act {
	case "length of a terabyte":
		f.BodyLength = 1 << 40
	case "checksum":
		f.Crc32C++
	case "sequence":
		f.Seq = 7
	case "schema id":
		f.SchemaId = 9
	case "rows":
		f.Rows = 1 << 50
	case "op":
		f.Op = 17
	case "header":
		f.Header = bytes.Repeat([]byte{0xff, 0x7f}, 400)
	case "state":
		f.Marks[0].After = []byte("{")
	case "mark":
		f.Marks[0].Rows = 1 << 60
	}
}
