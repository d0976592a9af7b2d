package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"plumbline/data"
	"plumbline/data/pseudonym"
	"plumbline/data/roles"
	"plumbline/data/source"
	"plumbline/models"
	"plumbline/runs/alerts"
	"plumbline/runs/bundle"
)

// Options is how a model watches.
type Options struct {
	Store  *alerts.Store
	Rules  alerts.Rules
	Stream string // name of what is watched: alerts and positions in the store are of it
	// Disguise changes the text of an address before it is kept; nil: it stays.
	Disguise func(string) string
	Learn    bool          // a model that can learn from a stream does
	Entities int           // hosts, connections or traces that are remembered; 0: 100,000
	Memory   int64         // bytes that they may take; 0: [DefaultMemory]
	Groups   int64         // groups of alerts that are remembered; 0: 100,000
	Idle     time.Duration // of the traffic after which a unit begins anew; 0: never
	Say      func(string)  // what people should know; nil: nobody is told
}

// DefaultMemory is how many bytes hosts, connections and traces that are remembered may take.
const DefaultMemory = 512_000_000

// keptName is the name of a trace or unit as the store has it: where addresses are changed, every word of it is.
func (o *Options) keptName(key string) string {
	if o.Disguise == nil {
		return key
	}
	words := strings.Split(key, " ")
	for i, w := range words {
		words[i] = o.Disguise(w)
	}
	return strings.Join(words, " ")
}

// Counts is what a watcher has done since it was made.
type Counts struct {
	Rows    int64 `json:"rows"`
	Bad     int64 `json:"bad"`     // rows that could not be read or prepared
	Alerts  int64 `json:"alerts"`  // given on
	Limited int64 `json:"limited"` // held back by the limit
	Ignored int64 `json:"ignored"` // by the rules or a verdict
	// hosts, connections and traces, and groups of alerts, that were forgotten since there was no room for more
	Forgotten, Groups int64
	// of flows that exporters send: packets that were dropped here, packets or flows that their numbers say were lost on
	// the way, and sets of flows whose template had not come
	Dropped, Lost, NoTemplate int64
}

// Watcher judges rows in the order in which they come. Nothing that it does with them is kept before [Watcher.Commit].
// It is not safe for concurrent use.
type Watcher struct {
	Counts Counts

	o         Options
	b         *bundle.Bundle
	config    *source.Config
	scorer    *scorer
	units     *entities // nil: rows are judged
	gate      *alerts.Gate
	usual     []float32
	expected  map[string]string // usual values, by column
	addresses map[string]bool   // columns of addresses
	stream    string
	rows      int64 // of the stream, over all stops
	batch     alerts.Batch
	judged    time.Time // when verdicts were last looked for
	verdict   int64     // the last that was read
	replaces  bool      // another model of the name watched the stream before

	position json.RawMessage // as the store has it
}

// streamState is the state of a stream under the key "stream".
type streamState struct {
	Hash     string          `json:"model_hash"`
	Rows     int64           `json:"rows"`
	Clock    alerts.Clock    `json:"time,omitzero"`
	Position json.RawMessage `json:"position,omitempty"`
	Queue    []float32       `json:"queue,omitempty"` // rows to learn from
	Queued   int             `json:"queued,omitempty"`
}

// Keys of the state of a stream.
const (
	streamKey   = "stream"
	detectorKey = "detector"
	unitPrefix  = "unit "
	tailPrefix  = "tail "
)

// New goes on with a stream where the store says that it was left. A model other than the one that left it has the
// position and nothing else.
func New(ctx context.Context, b *bundle.Bundle, o Options) (*Watcher, error) {
	if o.Entities <= 0 {
		o.Entities = 100_000
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Groups <= 0 {
		o.Groups = 100_000
	}
	if o.Say == nil {
		o.Say = func(string) {}
	}
	w := &Watcher{o: o, b: b, stream: b.Label + " " + o.Stream, usual: usual(ctx, b),
		expected: usualTexts(b), addresses: map[string]bool{}}
	for _, f := range b.Columns {
		w.addresses[f.Name] = f.Type == data.Address
	}
	var err error
	needed := map[string]bool{}
	for _, c := range b.Needed() {
		needed[c.Name] = true
	}
	if w.config, err = b.Config().Live(b.Columns, func(name string) bool { return needed[name] }); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrModel, err)
	}
	if math.IsNaN(float64(b.Threshold.Score)) {
		return nil, fmt.Errorf("%w: it has no threshold, so that nothing would be an alert", ErrModel)
	}
	most := bounds{o.Entities, o.Memory, o.keptName}
	if len(b.Unit.Columns) > 0 {
		few := most
		if b.Info.Needs.Input == data.Traces {
			few.memory = o.Memory / 4
			most.memory -= few.memory
		}
		w.units = newEntities(b, o.Idle, few)
	}
	if w.scorer, err = newScorer(b, o.Learn, most); err != nil {
		return nil, err
	}
	groups, err := o.Store.Limits(ctx, b.Hash, o.Groups)
	if err != nil {
		return nil, err
	}
	state, err := o.Store.State(ctx, w.stream)
	if err != nil {
		return nil, err
	}
	clock, err := w.load(state)
	if err != nil {
		return nil, fmt.Errorf("watch: %s: %w", w.stream, err)
	}
	w.gate = alerts.NewGate(o.Rules, groups, clock, o.Groups)
	w.batch = alerts.Batch{Stream: w.stream, State: map[string][]byte{}}
	if w.replaces { // else the next start would take what the other model remembered for this one's
		for key := range state {
			if key != streamKey {
				w.batch.State[key] = nil
			}
		}
	}
	return w, w.verdicts(ctx)
}

// load takes back the state of the stream.
func (w *Watcher) load(state map[string][]byte) (clock alerts.Clock, err error) {
	raw, ok := state[streamKey]
	if !ok {
		return clock, nil
	}
	var st streamState
	if err := json.Unmarshal(raw, &st); err != nil {
		return clock, err
	}
	w.rows, w.position = st.Rows, st.Position
	if st.Hash != w.b.Hash {
		w.o.Say(fmt.Sprintf("%s was watched by another model of this name (%.12s): going on where it stopped, with "+
			"nothing that it remembered", w.o.Stream, st.Hash))
		w.replaces = true
		return st.Clock, nil
	}
	w.scorer.queue, w.scorer.queued = st.Queue, st.Queued
	if raw, ok := state[detectorKey]; ok && w.scorer.learns {
		own, err := w.b.Spec.New(models.Env{Seed: w.b.Seed})
		if err == nil {
			err = loadState(own, raw)
		}
		if err != nil {
			return clock, err
		}
		w.scorer.det = own
	}
	if w.scorer.tails != nil {
		if err := w.scorer.tails.recent.load(state, tailPrefix, decodeTail); err != nil {
			return clock, err
		}
	}
	if w.units != nil {
		err := w.units.recent.load(state, unitPrefix, func(raw []byte) (*entity, error) {
			e := &entity{}
			return e, json.Unmarshal(raw, e)
		})
		if err != nil {
			return clock, err
		}
	}
	return st.Clock, nil
}

// verdictsEvery is how often verdicts are read again.
const verdictsEvery = 2 * time.Second

// verdicts reads what analysts called false.
func (w *Watcher) verdicts(ctx context.Context) error {
	if w.o.Rules.Verdicts == "off" || w.o.Rules.Verdicts == "" || time.Since(w.judged) < verdictsEvery {
		return nil
	}
	last, err := w.o.Store.LastVerdict(ctx)
	if err != nil {
		return err
	}
	if w.judged = time.Now(); last == w.verdict {
		return nil
	}
	err = w.gate.Benign(func(do func(*alerts.Alert) error) error { return w.o.Store.Judged(ctx, alerts.False, do) })
	if err == nil {
		w.verdict = last
	}
	return err
}

// Table judges the rows of a table in their order. where is the file and line of a row.
func (w *Watcher) Table(ctx context.Context, t *data.Table, where func(row int) (string, int64)) error {
	if err := w.verdicts(ctx); err != nil {
		return err
	}
	if t.Rows > w.scorer.room() {
		return w.inParts(ctx, t, where)
	}
	view, err := w.b.View(t)
	if err != nil {
		return err
	}
	sc, err := w.scorer.score(ctx, view)
	if err != nil {
		return w.alone(ctx, t, where, err)
	}
	var groups []string // of each row
	if w.units != nil {
		all := make([]int32, t.Rows)
		for i := range all {
			all[i] = int32(i)
		}
		us, err := w.b.Units(view, all)
		if err != nil {
			return err
		}
		for _, u := range us.Unit {
			groups = append(groups, us.Keys[u])
		}
	}
	cols := roles.Find(t, w.hints())
	var found []*alerts.Alert
	var rows []int
	for r := range t.Rows {
		if err := sc.failed[r]; err != nil {
			file, line := where(r)
			w.bad(1, fmt.Sprintf("%s:%d: %v", file, line, err))
			continue
		}
		var at int64
		if cols.Time != nil && cols.Time.Nanos[r] != data.NoTime {
			at = cols.Time.Nanos[r]
		}
		score, alarm, key := sc.raw[r], sc.raw[r] > float64(w.b.Threshold.Score), ""
		if sc.keys != nil {
			key = sc.keys[r]
		}
		if w.units != nil {
			key = groups[r]
			score, alarm = w.units.add(key, score, at)
		}
		if alarm {
			file, line := where(r)
			found = append(found, w.alert(t, cols, r, score, key, at, file, line))
			rows = append(rows, r)
		}
	}
	w.rows += int64(t.Rows)
	w.Counts.Rows += int64(t.Rows - len(sc.failed))
	if found != nil {
		reasons, causes, err := w.reasons(ctx, t, sc, rows)
		if err != nil {
			return err
		}
		for i, a := range found {
			a.Reasons, a.Cause = reasons[i], causes[i]
			a.Group = alerts.GroupID(w.b.Hash, w.keptCause(a, w.pseudonyms(a)))
			w.pass(a)
		}
	}
	return w.scorer.learn(ctx, sc.set)
}

// inParts judges a table in pieces for which there is room.
func (w *Watcher) inParts(ctx context.Context, t *data.Table, where func(int) (string, int64)) error {
	for from := 0; from < t.Rows; {
		rows := make([]int32, min(w.scorer.room(), t.Rows-from))
		for i := range rows {
			rows[i] = int32(from + i)
		}
		first := from
		err := w.Table(ctx, t.Only(rows), func(row int) (string, int64) { return where(first + row) })
		if err != nil {
			return err
		}
		from += len(rows)
	}
	return nil
}

// alone judges the rows of a table that cannot be judged together one by one, and leaves out those that cannot be
// judged at all.
func (w *Watcher) alone(ctx context.Context, t *data.Table, where func(int) (string, int64), err error) error {
	if ctx.Err() != nil || errors.Is(err, bundle.ErrTable) {
		return err
	}
	if t.Rows == 1 {
		file, line := where(0)
		w.bad(1, fmt.Sprintf("%s:%d: %v", file, line, err))
		w.rows++
		return nil
	}
	for r := range int32(t.Rows) {
		one := t.Only([]int32{r})
		if err := w.Table(ctx, one, func(int) (string, int64) { return where(int(r)) }); err != nil {
			return err
		}
	}
	return nil
}

// sayBad is how many rows that are left out are said one by one; then each power of ten of their number.
const sayBad = 5

func (w *Watcher) bad(n int64, example string) {
	if w.o.Disguise != nil { // a cell that cannot be read may be an address in the wrong column
		example = pseudonym.Said(example, w.o.Disguise, w.named)
	}
	before := w.Counts.Bad
	w.Counts.Bad += n
	if hundreds(before, w.Counts.Bad) {
		w.o.Say(fmt.Sprintf("%d rows were left out so far, the latest: %s", w.Counts.Bad, example))
	} else if before < sayBad {
		w.o.Say("left out: " + example)
	}
}

// named says whether a text is the name of a column that the model knows, or of another that it has in files.
func (w *Watcher) named(text string) bool {
	if _, ok := w.addresses[text]; ok {
		return true
	}
	for _, others := range w.config.Aliases {
		if slices.Contains(others, text) {
			return true
		}
	}
	return false
}

// hidden is an error without what the disguise hides.
func (w *Watcher) hidden(err error) error {
	if w.o.Disguise == nil {
		return err
	}
	return pseudonym.Error(err, w.o.Disguise, w.named)
}

// hundreds says whether a count has reached a hundred, a thousand, or the next power of ten.
func hundreds(before, now int64) bool {
	for limit := int64(100); limit <= now && limit > 0; limit *= 10 {
		if before < limit {
			return true
		}
	}
	return false
}

// forgotten says that there was no room for more, the first time and then at each power of ten.
func (w *Watcher) forgotten() {
	entities := int64(0)
	if w.scorer.tails != nil {
		entities += w.scorer.tails.recent.gone
	}
	if w.units != nil {
		entities += w.units.recent.gone
	}
	before := w.Counts
	w.Counts.Forgotten, w.Counts.Groups = entities, w.gate.Dropped
	if n := entities; before.Forgotten == 0 && n > 0 || hundreds(before.Forgotten, n) {
		w.o.Say(fmt.Sprintf("%d hosts, connections or traces were forgotten so far, those that were silent longest: at "+
			"most %d are remembered, in %d MB", n, w.o.Entities, w.o.Memory/1e6))
	}
	if n := w.gate.Dropped; before.Groups == 0 && n > 0 || hundreds(before.Groups, n) {
		w.o.Say(fmt.Sprintf("%d groups of alerts were forgotten so far, %d of them in the middle of a stretch of the limit: "+
			"%d are remembered (keep_groups)", n, w.gate.Open, w.o.Groups))
	}
}

// hints is what the model knows of the columns' roles.
func (w *Watcher) hints() roles.Hints {
	if w.b.Tracer == nil || len(w.b.Tracer.Spec.Key) == 0 {
		return roles.Hints{}
	}
	return roles.Hints{Entity: w.b.Tracer.Spec.Key[0]}
}

// alert is the record of a row, without its cause.
func (w *Watcher) alert(t *data.Table, cols *roles.Columns, row int, score float64, entity string, at int64,
	file string, line int64) *alerts.Alert {
	a := &alerts.Alert{
		Model: w.b.Label, Hash: w.b.Hash, Score: score, Threshold: float64(w.b.Threshold.Score), Unit: w.b.Unit.Name,
		Entity: entity, File: file, Line: line, Record: map[string]string{},
		ID: alerts.NewID(w.b.Hash, w.o.Stream, w.rows+int64(row), w.o.keptName(entity)),
	}
	if p := w.b.Calibration.P(score); !math.IsNaN(p) {
		a.P = &p
	}
	if at != 0 {
		a.Time = time.Unix(0, at).UTC()
	}
	text := func(c *data.Column) string {
		if c == nil || c.Missing(row) {
			return ""
		}
		return string(c.AppendText(nil, int32(row)))
	}
	a.Source, a.SrcPort, a.Dest, a.DestPort = text(cols.Source), text(cols.SourcePort), text(cols.Destination),
		text(cols.DestinationPort)
	a.Protocol, a.Service = text(cols.Protocol), text(cols.Service)
	for i := range t.Columns {
		if v := text(&t.Columns[i]); v != "" {
			a.Record[t.Columns[i].Name] = v
		}
	}
	return a
}

// pass takes an alert through the rules.
func (w *Watcher) pass(a *alerts.Alert) {
	disguise := w.disguise
	if w.o.Disguise == nil {
		disguise = nil
	}
	switch w.gate.Pass(a, disguise) {
	case alerts.Given:
		w.batch.Alerts = append(w.batch.Alerts, a)
		w.Counts.Alerts++
	case alerts.Limited:
		w.batch.Alerts = append(w.batch.Alerts, a)
		w.Counts.Limited++
	default:
		w.Counts.Ignored++
	}
}

// pseudonyms are the addresses in an alert's record, with what each is changed to; nil where addresses stay. Names of
// alerts and groups are made of them and not of the addresses, which could be found by trying all that there are.
func (w *Watcher) pseudonyms(a *alerts.Alert) map[string]string {
	if w.o.Disguise == nil {
		return nil
	}
	to := map[string]string{}
	for name, v := range a.Record {
		if w.addresses[name] || pseudonym.IsAddress(v) {
			to[v] = w.o.Disguise(v)
		}
	}
	return to
}

// keptCause is the root cause of an alert as the store has it.
func (w *Watcher) keptCause(a *alerts.Alert, to map[string]string) string {
	if w.o.Disguise == nil {
		return a.Cause
	}
	return pseudonym.Words(replaceWords(a.Cause, to), w.o.Disguise)
}

// disguise changes the addresses of an alert.
func (w *Watcher) disguise(a *alerts.Alert) {
	to := w.pseudonyms(a)
	a.Cause = w.keptCause(a, to)
	for name, v := range a.Record {
		if now, ok := to[v]; ok && (w.addresses[name] || pseudonym.IsAddress(v)) {
			a.Record[name] = now
		}
	}
	for _, v := range []*string{&a.Source, &a.Dest} {
		if *v != "" {
			*v = w.o.Disguise(*v)
		}
	}
	a.Entity = replaceWords(a.Entity, to)
	for i := range a.Reasons {
		r := &a.Reasons[i]
		r.Name = pseudonym.Words(replaceWords(r.Name, to), w.o.Disguise)
		if now, ok := to[r.Actual]; ok {
			r.Actual = now
		}
		if w.addresses[r.Name] && r.Expected != "" || pseudonym.IsAddress(r.Expected) {
			r.Expected = w.o.Disguise(r.Expected)
		}
	}
}

// pending says whether there is something to commit.
func (w *Watcher) pending(position json.RawMessage) bool {
	return len(w.batch.Alerts) > 0 || string(position) != string(w.position)
}

// commitWait is how long a watcher waits before it tries again to write what there was no room for, at most.
const commitWait = 30 * time.Second

// Commit writes the alerts since the last one, the position, and what the scores of later rows depend on. While there
// is no room, or somebody else writes, it waits and tries again, until the context ends: nothing is read on meanwhile.
func (w *Watcher) Commit(ctx context.Context, position any) error {
	raw, err := json.Marshal(position)
	if err != nil {
		return err
	}
	if !w.pending(raw) {
		return nil
	}
	if err := w.save(raw); err != nil {
		return err
	}
	for wait := time.Second; ; wait = min(2*wait, commitWait) {
		err := w.o.Store.Commit(ctx, &w.batch)
		if err == nil {
			break
		}
		if !errors.Is(err, alerts.ErrFull) && !errors.Is(err, alerts.ErrBusy) {
			return err
		}
		w.o.Say(fmt.Sprintf("%v: trying again in %v, and reading nothing meanwhile", err, wait))
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
	w.forgotten()
	w.position = raw
	w.batch = alerts.Batch{Stream: w.stream, State: map[string][]byte{}}
	return nil
}

// save puts the state into the batch.
func (w *Watcher) save(position json.RawMessage) error {
	groups, gone, clock := w.gate.Changed()
	w.batch.Groups = append(slices.DeleteFunc(w.batch.Groups, func(g alerts.Group) bool {
		return slices.Contains(gone, g.ID)
	}), groups...)
	w.batch.Gone = append(w.batch.Gone, gone...)
	if s := w.scorer; s.tails != nil {
		s.tails.recent.save(w.batch.State, tailPrefix, (*tail).encode)
	} else if s.stale {
		state, err := s.save()
		if err != nil {
			return err
		}
		w.batch.State[detectorKey], s.stale = state, false
	}
	if w.units != nil {
		w.units.recent.save(w.batch.State, unitPrefix, (*entity).encode)
	}
	raw, err := json.Marshal(streamState{Hash: w.b.Hash, Rows: w.rows, Clock: clock, Position: position,
		Queue: w.scorer.queue, Queued: w.scorer.queued})
	w.batch.State[streamKey] = raw
	return err
}
