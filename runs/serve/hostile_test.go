package serve_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"plumbline/runs/serve"
)

// raw is what a server answers to bytes on a connection, until it closes it or is silent for so long.
func raw(t testing.TB, address string, silent time.Duration, parts ...string) string {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, p := range parts {
		if _, err := io.WriteString(c, p); err != nil {
			break // it may have hung up
		}
	}
	c.SetReadDeadline(time.Now().Add(silent))
	got, _ := io.ReadAll(c)
	return string(got)
}

// TestWire: HTTP as old, odd and malicious clients speak it.
func TestWire(t *testing.T) {
	tr := train(t, "flow")
	address, _, _ := started(t, tr, func(o *serve.Options) { o.Timeout = 2 * time.Second }, "iforest")
	body := string(encode(t, map[string]any{"records": tr.records(2)}))
	want := fmt.Sprintf(`"score":%v`, jsonNumber(t, tr.scores["iforest"][0]))
	post := func(version, more string) string {
		return "POST /v1/predict " + version + "\r\nHost: localhost\r\nContent-Type: application/json\r\n" + more + "\r\n"
	}
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	chunks := func(n int) (out string) {
		for from := 0; from < len(body); from += n {
			part := body[from:min(from+n, len(body))]
			out += fmt.Sprintf("%x;extension=1\r\n%s\r\n", len(part), part)
		}
		return out + "0\r\nTrailer: x\r\n\r\n"
	}
	const close = "Connection: close\r\n"
	for name, c := range map[string]struct {
		send   string
		status string // of the first answer
		count  int    // answers with the score of the first record
	}{
		"HTTP/1.0":        {post("HTTP/1.0", length) + body, "HTTP/1.0 200", 1},
		"chunked":         {post("HTTP/1.1", close+"Transfer-Encoding: chunked\r\n") + chunks(17), "HTTP/1.1 200", 1},
		"chunks of bytes": {post("HTTP/1.1", close+"Transfer-Encoding: chunked\r\n") + chunks(1), "HTTP/1.1 200", 1},
		"no chunk":        {post("HTTP/1.1", close+"Transfer-Encoding: chunked\r\n") + "zz\r\n", "HTTP/1.1 400", 0},
		"pipelined": {strings.Repeat(post("HTTP/1.1", length)+body, 7) + post("HTTP/1.1", close+length) + body,
			"HTTP/1.1 200", 8},
		"pipelined after a wrong one": {post("HTTP/1.1", "Content-Length: 1\r\n") + "{" +
			post("HTTP/1.1", close+length) + body, "HTTP/1.1 400", 1},
		"expecting to be told to go on": {post("HTTP/1.1", close+length+"Expect: 100-continue\r\n") + body,
			"HTTP/1.1 100", 1},
		"expecting else":  {post("HTTP/1.1", close+length+"Expect: gold\r\n") + body, "HTTP/1.1 417", 0},
		"shorter":         {post("HTTP/1.1", close+"Content-Length: 9\r\n") + body, "HTTP/1.1 400", 0},
		"two lengths":     {post("HTTP/1.1", close+length+"Content-Length: 3\r\n") + body, "HTTP/1.1 400", 0},
		"no length":       {post("HTTP/1.1", close) + body, "HTTP/1.1 400", 0},
		"negative length": {post("HTTP/1.1", close+"Content-Length: -3\r\n") + body, "HTTP/1.1 400", 0},
		"huge length":     {post("HTTP/1.1", close+"Content-Length: 999999999999\r\n"), "HTTP/1.1 413", 0},
		"both lengths": {post("HTTP/1.1", close+length+"Transfer-Encoding: chunked\r\n") + chunks(100),
			"HTTP/1.1 200", 1}, // chunks count (RFC 9112, 6.3)
		"no host":   {"GET /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400", 0},
		"two hosts": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", "HTTP/1.1 400", 0},
		"large header": {"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 80<<10) +
			"\r\n\r\n", "HTTP/1.1 431", 0},
		"no HTTP":        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "HTTP/1.1 400", 0},
		"another method": {"PATCH /v1/predict HTTP/1.1\r\nHost: localhost\r\n" + close + "\r\n", "HTTP/1.1 405", 0},
		"a proxy's":      {"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n", "HTTP/1.1 421", 0},
		"another's URL": {"GET http://example.org/v1/models HTTP/1.1\r\nHost: localhost\r\n" + close + "\r\n",
			"HTTP/1.1 421", 0},
	} {
		got := raw(t, address, 10*time.Second, c.send)
		if !strings.HasPrefix(got, c.status) || strings.Count(got, want) != c.count {
			t.Errorf("%s: %.400q; want %s and %d times %s", name, got, c.status, c.count, want)
		}
	}
	// a body that comes byte by byte is one, as long as it comes in time
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := post("HTTP/1.1", close+length) + body
	for from := 0; from < len(text); from += 200 {
		io.WriteString(c, text[from:min(from+200, len(text))])
		time.Sleep(time.Millisecond)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || answer.StatusCode != 200 {
		t.Errorf("piece by piece: %v, %v", answer, err)
	}
}

func jsonNumber(t testing.TB, v float64) string { return string(encode(t, v)) }

// TestHostileValues: numbers that are none, members twice, depths and widths that nobody needs: each has an answer that
// says what is wrong, or the score that the record has without what nobody asked for.
func TestHostileValues(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	status, said := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	number, category := "", ""
	for _, c := range decode[serve.ModelDetail](t, status, said).Columns {
		if c.Type == "number" {
			number = c.Name
		} else {
			category = c.Name
		}
	}
	record := string(encode(t, tr.record(0)))
	own := string(encode(t, tr.record(0)[number]))
	among := func(of, more string) string { return `{"records":[` + of[:len(of)-1] + "," + more + "}]}" }
	instead := func(text string) string {
		return `{"records":[` + strings.Replace(record, fmt.Sprintf(`"%s":%s`, number, own), fmt.Sprintf(`"%s":%s`, number,
			text), 1) + "]}"
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	var wide strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&wide, `"column %d":%d,`, i, i)
	}
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"as it is":           {`{"records":[` + record + `]}`, 200, ""},
		"NaN":                {instead("NaN"), 400, "/records/0"},
		"Infinity":           {instead("Infinity"), 400, "/records/0"},
		"−Infinity":          {instead("-Infinity"), 400, "/records/0"},
		"a text NaN":         {instead(`"NaN"`), 400, "/records/0/" + number},
		"too large":          {instead("1e400"), 400, "/records/0/" + number},
		"many digits":        {instead(strings.Repeat("9", 5000)), 400, "/records/0/" + number},
		"many zeros":         {instead("0." + strings.Repeat("0", 5000) + "1"), 200, ""},
		"hexadecimal":        {instead("0x10"), 400, "/records/0"},
		"a leading zero":     {instead("007"), 400, "/records/0"},
		"a leading plus":     {instead("+7"), 400, "/records/0"},
		"twice":              {among(record, `"`+number+`":1`), 400, "duplicate"},
		"twice, in capitals": {among(record, `"`+strings.ToUpper(number)+`":1`), 400, "twice"},
		"another twice":      {among(record, `"of no use":1,"of no use":2`), 400, "duplicate"},
		"escaped twice":      {among(record, fmt.Sprintf(`"\u%04x%s":1`, number[0], number[1:])), 400, "duplicate"},
		"deep":               {among(record, `"of no use":`+deep), 200, ""},
		"too deep": {among(record, `"of no use":`+strings.Repeat(deep[:5000], 3)+strings.Repeat(deep[5000:], 3)), 400,
			"depth"},
		"deep in a column":  {instead(deep), 400, "/records/0/" + number},
		"100,000 members":   {among(record, strings.TrimSuffix(wide.String(), ",")), 200, ""},
		"a lone surrogate":  {among(record, `"of no use":"\ud800"`), 400, "surrogate"},
		"a byte order mark": {"\ufeff" + `{"records":[` + record + `]}`, 400, ""},
		"two texts":         {`{"records":[` + record + `]}{"records":[]}`, 400, "after the end"},
		"a comment":         {`{"records":[` + record + `]/* */}`, 400, ""},
		"a comma too many":  {`{"records":[` + record + `,]}`, 400, ""},
		"a zero byte":       {`{"records":[` + record + "]}\x00", 400, ""},
	} {
		status, said := ask(t, h, "POST", "/v1/predict", jsonKind, []byte(c.body))
		if status != c.status || !strings.Contains(string(said), c.says) || !json.Valid(said) {
			t.Errorf("%s: status %d, %.300s; want %d with %q", name, status, said, c.status, c.says)
		}
		if strings.HasPrefix(name, "100,000") || name == "deep" || name == "as it is" {
			if got := scoresOf(decode[serve.Answer](t, status, said)); !slices.Equal(got, tr.scores["iforest"][:1]) {
				t.Errorf("%s: %v, want %v", name, got, tr.scores["iforest"][:1])
			}
		}
	}
	lines := bytes.SplitAfter(tr.csv(t, 3), []byte("\n"))
	head, row := strings.TrimSpace(string(lines[0])), strings.TrimSpace(string(lines[1]))
	extra := make([]string, 100_000)
	for i := range extra {
		extra[i] = fmt.Sprint("c", i)
	}
	values := strings.Repeat(",1", len(extra))
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"100,000 columns": {head + "," + strings.Join(extra, ",") + "\n" + row + values + "\n", 200, ""},
		"NaN":             {head + "\n" + inCell(head, row, number, "NaN") + "\n", 400, number},
		"Infinity":        {head + "\n" + inCell(head, row, number, "-inf") + "\n", 400, number},
		"a column twice":  {head + "," + number + "\n" + row + ",1\n", 200, ""}, // the first counts
		"an open quote":   {head + "\n\"" + row + "\n" + row + "\n", 400, "body:2"},
		"a zero byte":     {head + "\n" + inCell(head, row, number, "1\x00") + "\n", 400, number},
		"not UTF-8":       {head + "\n" + inCell(head, row, category, "\xff") + "\n", 400, category},
		"blank lines":     {"\n\n" + head + "\n\n" + row + "\n\n\n", 200, ""},
		"carriage return": {head + "\r\n" + row + "\r\n", 200, ""},
		"no last break":   {head + "\n" + row, 200, ""},
		"a mark":          {"\ufeff" + head + "\n" + row + "\n", 200, ""},
	} {
		status, said := ask(t, h, "POST", "/v1/predict/batch", "text/csv", []byte(c.body))
		if status != c.status || !strings.Contains(string(said), c.says) {
			t.Errorf("CSV, %s: status %d, %.300s; want %d with %q", name, status, said, c.status, c.says)
		}
		if status == 200 {
			if got := csvScores(t, status, said); !slices.Equal(got, tr.scores["iforest"][:1]) {
				t.Errorf("CSV, %s: %v, want %v", name, got, tr.scores["iforest"][:1])
			}
		}
	}
	for _, query := range []string{"threshold=NaN", "threshold=Inf", "threshold=1e999", "threshold=0x1p-2x"} {
		if status, said := ask(t, h, "POST", "/v1/predict/batch?"+query, "text/csv", []byte(head+"\n")); status != 400 {
			t.Errorf("%s: status %d, %s", query, status, said)
		}
	}
}

// inCell is a row with another value in a column.
func inCell(head, row, column, value string) string {
	cells := strings.Split(row, ",")
	cells[slices.Index(strings.Split(head, ","), column)] = value
	return strings.Join(cells, ",")
}

// TestHostileGzip: what is compressed oddly is unpacked as a whole or refused.
func TestHostileGzip(t *testing.T) {
	tr := train(t, "flow")
	h, _ := tr.handler(t, nil, "iforest")
	pack := func(text []byte) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(text)
		z.Close()
		return b.Bytes()
	}
	body := encode(t, map[string]any{"records": tr.records(3)})
	packed := pack(body)
	sum := slices.Clone(packed)
	sum[len(sum)-6] ^= 1
	for name, c := range map[string]struct {
		body   []byte
		status int
	}{
		"in two members":  {append(pack(body[:50]), pack(body[50:])...), 200},
		"cut":             {packed[:len(packed)/2], 400},
		"a wrong sum":     {sum, 400},
		"more at the end": {append(slices.Clone(packed), "more"...), 400},
		"twice":           {pack(packed), 400},
		"nothing":         {nil, 400},
	} {
		status, said := ask(t, h, "POST", "/v1/predict", jsonKind, c.body, "Content-Encoding", "gzip")
		if status != c.status {
			t.Errorf("%s: status %d, %.200s", name, status, said)
		}
		if status == 200 && !slices.Equal(scoresOf(decode[serve.Answer](t, status, said)), tr.scores["iforest"][:3]) {
			t.Errorf("%s: other scores", name)
		}
	}
}

// TestKept: what is kept of records is bounded, however long their texts are, and a fault does not repeat the body.
func TestKept(t *testing.T) {
	tr := train(t, "host")
	h, _ := tr.handler(t, nil, "iforest")
	status, said := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	long := strings.Repeat("long ", 100_000)
	record := tr.record(0)
	for _, c := range decode[serve.ModelDetail](t, status, said).Columns {
		if c.Type != "number" && c.Type != "time" {
			record[c.Name] = long + c.Name
		}
	}
	status, said = ask(t, h, "POST", "/v1/predict", jsonKind, encode(t, map[string]any{"records": []any{record},
		"threshold": -1, "reasons": 5}))
	if a := decode[serve.Answer](t, status, said); len(a.Predictions) != 1 || len(a.Predictions[0].Unit) < len(long) {
		t.Fatalf("%.300s", said)
	}
	status, said = ask(t, h, "GET", "/v1/alerts", "", nil)
	if status != 200 || len(said) > 20_000 || bytes.Count(said, []byte("long ")) < 10 {
		t.Errorf("status %d, %d bytes: %.300s", status, len(said), said)
	}
	for _, body := range []string{`{"` + long + `":1}`, `{"records":[{"` + long + `":]}`, `{"model":"` + long + `"}`} {
		if status, said := ask(t, h, "POST", "/v1/predict", jsonKind, []byte(body)); status/100 != 4 || len(said) > 6000 {
			t.Errorf("status %d, %d bytes", status, len(said))
		}
	}
}

// repeated is a body of some bytes a number of times; last is called before it ends.
type repeated struct {
	part, rest []byte
	times      int
	last       func()
}

func (r *repeated) Read(b []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.times == 0 {
			r.last()
			return 0, io.EOF
		}
		r.rest, r.times = r.part, r.times-1
	}
	n := copy(b, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// TestSpoolLeavesNothing: an answer that does not fit memory is in a file that has no name any more while it grows, so
// that nothing stays in the folder when the program is killed.
func TestSpoolLeavesNothing(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open keeps its name")
	}
	tr := train(t, "flow")
	dir := t.TempDir()
	h, _ := tr.handler(t, func(o *serve.Options) { o.Spool = dir }, "iforest")
	status, raw := ask(t, h, "GET", "/v1/models/iforest", "", nil)
	d := len(decode[serve.ModelDetail](t, status, raw).Matrix)
	const rows, times = 1000, 100
	looked := false
	body := &repeated{part: floats(make([]float32, rows*d)), times: times, last: func() {
		looked = true
		if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
			t.Errorf("%d files, such as %v: %v", len(files), files, err)
		}
	}}
	r := httptest.NewRequest("POST", "/v1/predict/batch", body)
	r.Header.Set("Content-Type", "application/octet-stream")
	r.Header.Set("Accept", "application/x-ndjson")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	n := bytes.Count(w.Body.Bytes(), []byte{'\n'})
	if w.Code != 200 || n != rows*times || w.Body.Len() < 5<<20 || !looked {
		t.Errorf("status %d, %d lines, %d bytes: %.200s", w.Code, n, w.Body.Len(), w.Body)
	}
}
