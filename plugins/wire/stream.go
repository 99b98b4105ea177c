package wire

import (
	"fmt"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// StreamToWire converts the description of a stream.
func StreamToWire(s core.Stream) (*wirev1.Stream, error) {
	schema, err := SchemaToWire(s.Schema)
	if err != nil {
		return nil, fmt.Errorf("stream %q: %w", s.Name, err)
	}
	w := &wirev1.Stream{
		Name: s.Name, Schema: schema, PrimaryKey: s.PrimaryKey, Deletes: string(s.Deletes),
		DeleteField: s.DeleteField, Help: s.Help, EstimatedRows: s.EstimatedRows,
		Cursor: &wirev1.Cursor{
			Field: s.Cursor.Field, TieBreak: s.Cursor.TieBreak, Opaque: s.Cursor.Opaque,
			Precision: durationToWire(s.Cursor.Precision), Lookback: durationToWire(s.Cursor.Lookback),
		},
	}
	for _, m := range s.Maps {
		w.Maps = append(w.Maps, &wirev1.Mapping{Table: m.Table, Columns: m.Columns})
	}
	return w, nil
}

// StreamFromWire converts the description of a stream.
func StreamFromWire(w *wirev1.Stream) (core.Stream, error) {
	schema, err := SchemaFromWire(w.GetSchema())
	if err != nil {
		return core.Stream{}, fmt.Errorf("stream %q: %w", w.GetName(), err)
	}
	c := w.GetCursor()
	s := core.Stream{
		Name: w.GetName(), Schema: schema, PrimaryKey: w.GetPrimaryKey(), Deletes: core.DeleteMode(w.GetDeletes()),
		DeleteField: w.GetDeleteField(), Help: w.GetHelp(), EstimatedRows: w.GetEstimatedRows(),
		Cursor: core.Cursor{
			Field: c.GetField(), TieBreak: c.GetTieBreak(), Opaque: c.GetOpaque(),
			Precision: c.GetPrecision().AsDuration(), Lookback: c.GetLookback().AsDuration(),
		},
	}
	for _, m := range w.GetMaps() {
		s.Maps = append(s.Maps, core.Mapping{Table: m.GetTable(), Columns: m.GetColumns()})
	}
	return s, nil
}

// RequestToWire converts a read request for an opened source.
func RequestToWire(source uint64, r core.ReadRequest) (*wirev1.ReadRequest, error) {
	stream, err := StreamToWire(r.Stream)
	if err != nil {
		return nil, err
	}
	return &wirev1.ReadRequest{
		Source: source, Stream: stream, Columns: r.Columns, After: r.After,
		From: timeToWire(r.From), Until: timeToWire(r.Until), Limit: r.Limit, KeysOnly: r.KeysOnly,
		ShardIndex: int32(r.Shard.Index), ShardCount: int32(r.Shard.Count),
	}, nil
}

// RequestFromWire converts a read request. Times come back in UTC.
func RequestFromWire(w *wirev1.ReadRequest) (core.ReadRequest, error) {
	stream, err := StreamFromWire(w.GetStream())
	if err != nil {
		return core.ReadRequest{}, err
	}
	return core.ReadRequest{
		Stream: stream, Columns: w.GetColumns(), After: w.GetAfter(),
		From: timeFromTimestamp(w.GetFrom()), Until: timeFromTimestamp(w.GetUntil()),
		Limit: w.GetLimit(), KeysOnly: w.GetKeysOnly(),
		Shard: core.Shard{Index: int(w.GetShardIndex()), Count: int(w.GetShardCount())},
	}, nil
}

func durationToWire(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

func timeToWire(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func timeFromTimestamp(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
