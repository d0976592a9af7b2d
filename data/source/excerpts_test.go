package source

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"plumbline/data/datatest"
)

// excerpt is real rows of a data set that is too large to have, read with the config that ships.
type excerpt struct {
	config  string
	files   map[string]string // name in the config: file below excerpts, with lines to leave out before a colon
	header  map[string]string // header of files whose excerpt has none
	rows    int
	truth   string // of the first rows
	columns int
	values  map[string]string // column@row: text
}

// body is an excerpt without its first lines that begin with a text.
func body(t *testing.T, dir, file string) string {
	t.Helper()
	comment, name, ok := strings.Cut(file, ":")
	if !ok {
		comment, name = "", file
	}
	raw, err := os.ReadFile(filepath.Join(dir, "excerpts", name))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	if comment != "" && strings.HasPrefix(text, comment) {
		_, text, _ = strings.Cut(text, "\n")
	}
	return text
}

func TestExcerpts(t *testing.T) {
	for _, e := range excerpts {
		t.Run(e.config, func(t *testing.T) {
			real := datatest.Dir(t, "excerpts")
			c := shippedConfig(t, "../../configs/data/"+e.config+".yaml")
			dir := t.TempDir()
			names := []string{}
			for name, file := range e.files {
				text := e.header[name] + body(t, real, file)
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				if c.Label.Join == nil || c.Label.Join.Files[0] != name {
					names = append(names, name)
				}
			}
			c.Files = Files{Train: names}
			tb, rep, err := Read(context.Background(), c, Finder{Dirs: []string{dir}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if tb.Rows != e.rows || rep.Bad > 0 || len(tb.Columns) != e.columns {
				t.Errorf(
					"%d rows of %d columns, %d not read; want %d of %d",
					tb.Rows,
					len(tb.Columns),
					rep.Bad,
					e.rows,
					e.columns,
				)
			}
			if got := truths(tb); !strings.HasPrefix(got, e.truth) {
				t.Errorf("truth %s, want %s", got, e.truth)
			}
			check(t, tb, truths(tb), e.columns, e.values)
		})
	}
}

// netflow2 is the header of the NF sets of version 2, as of the real NF-BoT-IoT-v2.
const netflow2 = "IPV4_SRC_ADDR,L4_SRC_PORT,IPV4_DST_ADDR,L4_DST_PORT,PROTOCOL,L7_PROTO,IN_BYTES,IN_PKTS,OUT_BYTES," +
	"OUT_PKTS,TCP_FLAGS,CLIENT_TCP_FLAGS,SERVER_TCP_FLAGS,FLOW_DURATION_MILLISECONDS,DURATION_IN,DURATION_OUT,MIN_TTL," +
	"MAX_TTL,LONGEST_FLOW_PKT,SHORTEST_FLOW_PKT,MIN_IP_PKT_LEN,MAX_IP_PKT_LEN,SRC_TO_DST_SECOND_BYTES," +
	"DST_TO_SRC_SECOND_BYTES,RETRANSMITTED_IN_BYTES,RETRANSMITTED_IN_PKTS,RETRANSMITTED_OUT_BYTES," +
	"RETRANSMITTED_OUT_PKTS,SRC_TO_DST_AVG_THROUGHPUT,DST_TO_SRC_AVG_THROUGHPUT,NUM_PKTS_UP_TO_128_BYTES," +
	"NUM_PKTS_128_TO_256_BYTES,NUM_PKTS_256_TO_512_BYTES,NUM_PKTS_512_TO_1024_BYTES,NUM_PKTS_1024_TO_1514_BYTES," +
	"TCP_WIN_MAX_IN,TCP_WIN_MAX_OUT,ICMP_TYPE,ICMP_IPV4_TYPE,DNS_QUERY_ID,DNS_QUERY_TYPE,DNS_TTL_ANSWER," +
	"FTP_COMMAND_RET_CODE,Label,Attack,Dataset\n"

// netflowExcerpt is the rows of NF-UQ-NIDS-v2, which come from the four sets that have the same layout.
func netflowExcerpt(config string) excerpt {
	return excerpt{
		config: config, files: map[string]string{"NF.csv": "nf_uq_nids/03.txt"},
		header: map[string]string{"NF.csv": netflow2},
		rows:   10, truth: "Benign | DDoS* | DDoS* | xss*", columns: 43,
		values: map[string]string{"L7_PROTO@4": "7.178", "MAX_TTL@1": "64", "IPV4_SRC_ADDR@2": "192.168.100.150"},
	}
}

func netflow1Excerpt(config string) excerpt {
	return excerpt{
		config: config, files: map[string]string{"NF.csv": "nf_uq_nids/01.txt"},
		header: map[string]string{"NF.csv": netflow1 + ",Dataset\n"}, rows: 10, truth: "Benign | Benign", columns: 12,
		values: map[string]string{"IN_BYTES@0": "1460", "TCP_FLAGS@1": "2", "OUT_PKTS@2": "15"},
	}
}

var excerpts = []excerpt{
	netflow1Excerpt("nf-uq-nids-v1"), netflow1Excerpt("nf-cse-cic-ids2018-v1"),
	netflowExcerpt("nf-uq-nids-v2"), netflowExcerpt("nf-unsw-nb15-v2"), netflowExcerpt("nf-bot-iot-v2"),
	netflowExcerpt("nf-ton-iot-v2"), netflowExcerpt("nf-cse-cic-ids2018-v2"),
	{
		config: "nf-cse-cic-ids2018-v3", files: map[string]string{"v3.csv": "NF-CSE-CIC-IDS2018-v3.one-row.csv"},
		rows: 1, truth: "SSH-Bruteforce*", columns: 53,
		values: map[string]string{"FLOW_START_MILLISECONDS@0": "2018-02-14T18:39:03.48Z", "L7_PROTO@0": "92"},
	},
	{
		config: "cic-ddos2019", files: map[string]string{"Portmap.csv": "cic_ddos/01.txt"},
		rows: 6, truth: "Portmap* | Portmap*", columns: 83,
		values: map[string]string{
			"Flow Bytes/s@0": "4.58e+08", "Timestamp@0": "2018-11-03T10:01:35.983831Z", "Source IP@0": "172.16.0.5",
		},
	},
	{
		config: "cse-cic-ids2018", files: map[string]string{"02-14-2018.csv": "cse_cic_ids2018/01.txt"},
		rows: 7, truth: "Benign | Benign", columns: 79,
		values: map[string]string{"Timestamp@0": "2018-03-01T09:56:59Z", "Flow Byts/s@2": "-", "Dst Port@6": "53"},
	},
	{
		config: "kyoto-2006", files: map[string]string{"day.txt": "kyoto_honeypot/01.txt"},
		rows: 24, truth: "known attack* | known attack*", columns: 19,
		values: map[string]string{"service@0": "dns", "destination_port@1": "53", "source_bytes@1": "58"},
	},
	{
		config: "lanl-2015",
		files: map[string]string{
			"flows.txt":   "#:comp_multi_source_cybersec_events/03.txt",
			"redteam.txt": "#:comp_multi_source_cybersec_events/05.txt",
		},
		rows: 3, truth: "benign | benign | benign", columns: 9,
		values: map[string]string{
			"time@2":             "1970-01-01T00:00:02Z",
			"destination@0":      "C3420",
			"destination_port@2": "443",
		},
	},
	{
		config: "ugr16", files: map[string]string{"july.week5.csv": "ugr16/03.txt"},
		rows: 9, truth: "dos* | dos*", columns: 12,
		values: map[string]string{
			"te@0":  "2016-07-28T13:14:17Z",
			"sa@0":  "42.219.150.242",
			"byt@0": "200",
			"flg@1": ".A..S.",
		},
	},
}

// TestSamples reads samples of real files with the configs of the whole data sets; counts taken with awk.
func TestSamples(t *testing.T) {
	for _, c := range []struct {
		config, folder, file string
		benign, attacks      int
		columns              int
	}{
		{"nf-bot-iot-v2", "nf-bot-iot-v2", "NF-BoT-IoT-v2.sample.csv", 1285, 33 + 4107 + 7905 + 1202, 43},
		{"unsw-nb15-raw", "unsw-nb15-raw", "UNSW-NB15_1.part.csv", 3283, 70 + 7 + 8 + 5 + 27, 47},
		{"nfdump", "nfdump", "portscan.nfdump-1.7.1.csv", 4593, 0, 13},
	} {
		t.Run(c.config, func(t *testing.T) {
			dir := datatest.Dir(t, c.folder)
			cfg := shippedConfig(t, "../../configs/data/"+c.config+".yaml")
			cfg.Files, cfg.Folder = Files{Train: []string{c.file}}, c.folder
			if c.config == "nfdump" { // nobody has labelled it
				cfg.Label = Label{Files: []FileLabel{{File: "*", Is: "benign"}}}
				d := cfg.source.(*Delimited)
				d.Columns = d.Columns[:len(d.Columns)-1]
			}
			tb, rep, err := Read(context.Background(), cfg, Finder{Dirs: []string{dir}}, 2)
			if err != nil {
				t.Fatal(err)
			}
			all := make([]int32, tb.Rows)
			for i := range all {
				all[i] = int32(i)
			}
			benign, attacks := tb.Count(all)
			if benign != c.benign || attacks != c.attacks || len(tb.Columns) != c.columns || rep.Bad > 0 {
				t.Errorf("%d benign, %d attacks, %d columns, %d not read; want %d, %d, %d",
					benign, attacks, len(tb.Columns), rep.Bad, c.benign, c.attacks, c.columns)
			}
		})
	}
}
