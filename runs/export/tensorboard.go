package export

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"path/filepath"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// TensorBoard writes event files for a run directory, which "tensorboard --logdir" reads: a folder for each cell with
// what its metrics were by epoch and at the end, and its settings for the comparison of hyper-parameters, where the
// cells of one model on one data set are a group. Files that are there already are written anew.
func TensorBoard(dir, to string) error {
	_, cells, err := Track(dir, NoFiles)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrArguments, err)
	}
	for _, t := range cells {
		name := fmt.Sprintf("events.out.tfevents.%d.plumbline.0.0", t.Start.Unix())
		if err := put(filepath.Join(to, filepath.FromSlash(t.Name), name), events(t)); err != nil {
			return err
		}
	}
	return nil
}

// events are the records of one cell.
func events(t *Tracked) []byte {
	at := float64(t.End.UnixNano()) / 1e9
	var out []byte
	add := func(event []byte) { out = appendRecord(out, event) }
	head := protowire.AppendTag(nil, 1, protowire.Fixed64Type)
	head = protowire.AppendFixed64(head, math.Float64bits(float64(t.Start.UnixNano())/1e9))
	add(appendText(head, 3, "brain.Event:2"))
	add(event(at, 0, hparamsValue("_hparams_/session_start_info", 3, sessionStart(t))))
	last := int64(0)
	for _, p := range t.Points {
		last = max(last, p.Step)
	}
	for _, p := range t.Points {
		step := p.Step
		if step == 0 { // measured at the end
			step = last
		}
		value := appendText(nil, 1, p.Key)
		value = protowire.AppendTag(value, 2, protowire.Fixed32Type)
		add(event(at, step, protowire.AppendFixed32(value, math.Float32bits(float32(p.Value)))))
	}
	add(event(at, last, hparamsValue("_hparams_/session_end_info", 4, sessionEnd(t))))
	return out
}

// appendRecord adds a record as TFRecord files have them: the length and the data, each with its masked CRC-32C.
func appendRecord(b, data []byte) []byte {
	length := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = append(b, length...)
	b = binary.LittleEndian.AppendUint32(b, masked(length))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func masked(data []byte) uint32 {
	c := crc32.Checksum(data, castagnoli)
	return (c>>15 | c<<17) + 0xa282ead8
}

func appendText(b []byte, field protowire.Number, s string) []byte {
	return protowire.AppendString(protowire.AppendTag(b, field, protowire.BytesType), s)
}

func appendMessage(b []byte, field protowire.Number, m []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), m)
}

func appendVarint(b []byte, field protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), v)
}

func appendDouble(b []byte, field protowire.Number, v float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, field, protowire.Fixed64Type), math.Float64bits(v))
}

// event is an Event with a Summary of one Value.
func event(at float64, step int64, value []byte) []byte {
	b := appendDouble(nil, 1, at)
	b = appendVarint(b, 2, uint64(step))
	return appendMessage(b, 5, appendMessage(nil, 1, value))
}

// hparamsValue is a Value whose metadata hold what the plugin for hyper-parameters reads, in one of its fields.
func hparamsValue(tag string, field protowire.Number, content []byte) []byte {
	data := appendMessage(appendVarint(nil, 1, 0), field, content)
	plugin := appendMessage(appendText(nil, 1, "hparams"), 2, data)
	return appendMessage(appendText(nil, 1, tag), 9, appendMessage(nil, 1, plugin))
}

// sessionStart is a SessionStartInfo: the settings as a map to google.protobuf.Value, the group and the time.
func sessionStart(t *Tracked) []byte {
	var b []byte
	group := ""
	for _, p := range t.Params {
		switch p.Key {
		case "train_sha256", "test_sha256":
			continue
		case "data", "label":
			group += p.Value + " "
		}
		value := appendText(nil, 3, p.Value)
		if v, err := strconv.ParseFloat(p.Value, 64); err == nil && finite(v) {
			value = appendDouble(nil, 2, v)
		} else if p.Value == "true" || p.Value == "false" {
			value = appendVarint(nil, 4, map[string]uint64{"true": 1}[p.Value])
		}
		b = appendMessage(b, 1, appendMessage(appendText(nil, 1, p.Key), 2, value))
	}
	b = appendText(b, 4, group)
	return appendDouble(b, 5, float64(t.Start.UnixNano())/1e9)
}

// sessionEnd is a SessionEndInfo: status 1 is success, 2 failure.
func sessionEnd(t *Tracked) []byte {
	status := uint64(1)
	if t.Status != "ok" {
		status = 2
	}
	return appendDouble(appendVarint(nil, 1, status), 2, float64(t.End.UnixNano())/1e9)
}
