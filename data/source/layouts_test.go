package source

import (
	"fmt"
	"strings"
	"testing"
)

// published is a data set whose files cannot be had: its header as published, of which rows are invented.
type published struct {
	config, file string
	header       string
	cells        map[string][2]string // of the two rows, a benign one and an attack; all others are 1
	truth        string
	columns      int
}

const netflow1 = "IPV4_SRC_ADDR,L4_SRC_PORT,IPV4_DST_ADDR,L4_DST_PORT,PROTOCOL,L7_PROTO,IN_BYTES,OUT_BYTES,IN_PKTS," +
	"OUT_PKTS,TCP_FLAGS,FLOW_DURATION_MILLISECONDS,Label,Attack"

var netflowCells = map[string][2]string{
	"IPV4_SRC_ADDR": {"10.0.0.1", "10.0.0.2"}, "L7_PROTO": {"7.178", "0.0"}, "Label": {"0", "1"},
	"Attack": {"Benign", "DDoS"},
}

const netflow3 = "FLOW_START_MILLISECONDS,FLOW_END_MILLISECONDS,IPV4_SRC_ADDR,L4_SRC_PORT,IPV4_DST_ADDR,L4_DST_PORT," +
	"PROTOCOL,L7_PROTO,IN_BYTES,IN_PKTS,OUT_BYTES,OUT_PKTS,TCP_FLAGS,CLIENT_TCP_FLAGS,SERVER_TCP_FLAGS," +
	"FLOW_DURATION_MILLISECONDS,DURATION_IN,DURATION_OUT,MIN_TTL,MAX_TTL,LONGEST_FLOW_PKT,SHORTEST_FLOW_PKT," +
	"MIN_IP_PKT_LEN,MAX_IP_PKT_LEN,SRC_TO_DST_SECOND_BYTES,DST_TO_SRC_SECOND_BYTES,RETRANSMITTED_IN_BYTES," +
	"RETRANSMITTED_IN_PKTS,RETRANSMITTED_OUT_BYTES,RETRANSMITTED_OUT_PKTS,SRC_TO_DST_AVG_THROUGHPUT," +
	"DST_TO_SRC_AVG_THROUGHPUT,NUM_PKTS_UP_TO_128_BYTES,NUM_PKTS_128_TO_256_BYTES,NUM_PKTS_256_TO_512_BYTES," +
	"NUM_PKTS_512_TO_1024_BYTES,NUM_PKTS_1024_TO_1514_BYTES,TCP_WIN_MAX_IN,TCP_WIN_MAX_OUT,ICMP_TYPE," +
	"ICMP_IPV4_TYPE,DNS_QUERY_ID,DNS_QUERY_TYPE,DNS_TTL_ANSWER,FTP_COMMAND_RET_CODE,SRC_TO_DST_IAT_MIN," +
	"SRC_TO_DST_IAT_MAX,SRC_TO_DST_IAT_AVG,SRC_TO_DST_IAT_STDDEV,DST_TO_SRC_IAT_MIN,DST_TO_SRC_IAT_MAX," +
	"DST_TO_SRC_IAT_AVG,DST_TO_SRC_IAT_STDDEV,Label,Attack"

var netflow3Cells = map[string][2]string{
	"FLOW_START_MILLISECONDS": {
		"1518633543480",
		"1518633600000",
	}, "FLOW_END_MILLISECONDS": {"1518633543849", "1518633600001"},
	"IPV4_SRC_ADDR": {"10.0.0.1", "10.0.0.2"}, "Label": {"0", "1"}, "Attack": {"Benign", "DoS"},
}

const cidds = "Date first seen,Duration,Proto,Src IP Addr,Src Pt,Dst IP Addr," +
	"Dst Pt,Packets,Bytes,Flows,Flags,Tos,class," +
	"attackType,attackID,attackDescription"

const bestTen = "pkSeqID,proto,saddr,sport,daddr,dport,seq,stddev,N_IN_Conn_P_SrcIP,min,state_number,mean," +
	"N_IN_Conn_P_DstIP,drate,srate,max,attack,category,subcategory"

const cicIoT = "flow_duration,Header_Length,Protocol Type,Duration,Rate,Srate,Drate,fin_flag_number,syn_flag_number," +
	"rst_flag_number,psh_flag_number,ack_flag_number,ece_flag_number,cwr_flag_number,ack_count,syn_count,fin_count," +
	"urg_count,rst_count,HTTP,HTTPS,DNS,Telnet,SMTP,SSH,IRC,TCP,UDP,DHCP,ARP,ICMP,IPv,LLC,Tot sum,Min,Max,AVG,Std," +
	"Tot size,IAT,Number,Magnitue,Radius,Covariance,Variance,Weight,label"

const edgeIIoT = "frame.time,ip.src_host,ip.dst_host,arp.dst.proto_ipv4,arp.opcode,arp.hw.size,arp.src.proto_ipv4," +
	"icmp.checksum,icmp.seq_le,icmp.transmit_timestamp,icmp.unused,http.file_data,http.content_length," +
	"http.request.uri.query,http.request.method,http.referer,http.request.full_uri,http.request.version,http.response," +
	"http.tls_port,tcp.ack,tcp.ack_raw,tcp.checksum,tcp.connection.fin,tcp.connection.rst,tcp.connection.syn," +
	"tcp.connection.synack,tcp.dstport,tcp.flags,tcp.flags.ack,tcp.len,tcp.options,tcp.payload,tcp.seq,tcp.srcport," +
	"udp.port,udp.stream,udp.time_delta,dns.qry.name,dns.qry.name.len,dns.qry.qu,dns.qry.type,dns.retransmission," +
	"dns.retransmit_request,dns.retransmit_request_in,mqtt.conack.flags,mqtt.conflag.cleansess,mqtt.conflags," +
	"mqtt.hdrflags,mqtt.len,mqtt.msg_decoded_as,mqtt.msg,mqtt.msgtype,mqtt.proto_len,mqtt.protoname,mqtt.topic," +
	"mqtt.topic_len,mqtt.ver,mbtcp.len,mbtcp.trans_id,mbtcp.unit_id,Attack_label,Attack_type"

const hikari = ",Unnamed: 0,uid,originh,originp,responh,responp,flow_duration,fwd_pkts_tot,bwd_pkts_tot," +
	"fwd_data_pkts_tot,bwd_data_pkts_tot,fwd_pkts_per_sec,bwd_pkts_per_sec,flow_pkts_per_sec,down_up_ratio," +
	"traffic_category,Label"

const uwf = "resp_pkts,service,orig_ip_bytes,local_resp,missed_bytes,proto,duration,conn_state,dest_ip,orig_pkts," +
	"community_id,resp_ip_bytes,dest_port,orig_bytes,local_orig,datetime,history,resp_bytes,uid,src_port,ts,src_ip," +
	"mitre_attack_tactics"

// improved is the header of the corrected CICIDS2017 and CSE-CIC-IDS2018.
const improved = "id,Flow ID,Src IP,Src Port,Dst IP,Dst Port,Protocol,Timestamp,Flow Duration,Total Fwd Packet," +
	"Total Bwd packets,Total Length of Fwd Packet,Total Length of Bwd Packet,Flow Bytes/s,ICMP Code,ICMP Type," +
	"Total TCP Flow Time,Label,Attempted Category"

var layouts = []published{
	{"bot-iot", "UNSW_2018_IoT_Botnet_Final_10_best_Training.csv", bestTen, map[string][2]string{
		"proto": {"tcp", "udp"}, "saddr": {"192.168.100.150", "fe80::1"}, "sport": {"0x0303", "80"}, "attack": {"0", "1"},
		"category": {"Normal", "DDoS"}, "subcategory": {"Normal", "UDP"},
	}, "Normal | DDoS*", 15},
	{"ciciot2023", "part-00000-363d1ba3-8ab5-4f96-bc25-4d5862db7cb9-c000.csv", cicIoT, map[string][2]string{
		"Rate": {"inf", "12.5"}, "label": {"BenignTraffic", "DDoS-SYN_Flood"},
	}, "BenignTraffic | DDoS-SYN_Flood*", 46},
	{"cse-cic-ids2018-improved", "Wednesday-14-02-2018.csv", improved, map[string][2]string{
		"Flow ID": {"a", "b"}, "Src IP": {"172.31.69.25", "18.221.219.4"}, "Flow Bytes/s": {"Infinity", "NaN"},
		"Timestamp": {
			"2018-02-14 08:31:01.123456",
			"2018-02-14 08:31:02",
		}, "Label": {"BENIGN", "FTP-BruteForce - Attempted"},
	}, "BENIGN | FTP-BruteForce - Attempted*", 15},
	{"edge-iiotset", "DNN-EdgeIIoT-dataset.csv", edgeIIoT, map[string][2]string{
		"frame.time": {" 2021 11:44:10.081753000 ", "6.0"}, "dns.qry.name.len": {"0.0", "1.debian.pool.ntp.org"},
		"Attack_label": {"0", "1"}, "Attack_type": {"Normal", "MITM"}, "tcp.srcport": {"1.0", "http"},
	}, "Normal | MITM*", 46},
	{"hikari-2021", "ALLFLOWMETER_HIKARI2021.csv", hikari, map[string][2]string{
		"uid": {"C1", "C2"}, "Label": {"0", "1"}, "traffic_category": {"Benign", "Bruteforce"},
	}, "Benign | Bruteforce*", 13},
	{"nf-bot-iot-v1", "NF-BoT-IoT.csv", netflow1, netflowCells, "Benign | DDoS*", 12},
	{"cidds-001", "CIDDS-001-internal-week1.csv", cidds, map[string][2]string{
		"Date first seen": {"2017-03-15 00:01:16.632", "2017-03-15 00:01:17.000"}, "Bytes": {"  1.0 M", "60"},
		"Src IP Addr": {"192.168.100.5", "EXT_SERVER"}, "Flags": {".AP...", "....S."}, "class": {"normal", "attacker"},
		"attackType": {"---", "portScan"}, "attackID": {"---", "3"}, "attackDescription": {"---", "scan"},
	}, "normal | portScan*", 11},
	{"nf-bot-iot-v3", "NF-BoT-IoT-v3.csv", netflow3, netflow3Cells, "Benign | DoS*", 53},
	{"nf-ton-iot-v3", "NF-ToN-IoT-v3.csv", netflow3, netflow3Cells, "Benign | DoS*", 53},
	{"nf-unsw-nb15-v3", "NF-UNSW-NB15-v3.csv", netflow3, netflow3Cells, "Benign | DoS*", 53},
	{"nf-ton-iot-v1", "NF-ToN-IoT.csv", netflow1, netflowCells, "Benign | DDoS*", 12},
	{"nf-unsw-nb15-v1", "NF-UNSW-NB15.csv", netflow1, netflowCells, "Benign | DDoS*", 12},
	{"uwf-zeekdata22", "uwf-zeekdata22.csv", uwf, map[string][2]string{
		"ts": {"1647795600.5", "1647795601"}, "duration": {"", "0.25"}, "mitre_attack_tactics": {"none", "Reconnaissance"},
	}, "none | Reconnaissance*", 18},
}

// TestLayouts reads invented rows under published headers.
func TestLayouts(t *testing.T) {
	for _, p := range layouts {
		t.Run(p.config, func(t *testing.T) {
			var text strings.Builder
			fmt.Fprintln(&text, p.header)
			for row := range 2 {
				for i, name := range strings.Split(p.header, ",") {
					cell := "1"
					if c, ok := p.cells[name]; ok {
						cell = c[row]
					}
					if i > 0 {
						text.WriteByte(',')
					}
					text.WriteString(cell)
				}
				text.WriteByte('\n')
			}
			tb, rep, err := fixture(t, p.config, map[string]string{p.file: text.String()})
			if err != nil {
				t.Fatal(err)
			}
			if rep.Bad > 0 {
				t.Errorf("%v", rep.Examples)
			}
			check(t, tb, p.truth, p.columns, nil)
		})
	}
}
