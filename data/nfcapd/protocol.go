package nfcapd

import (
	"strconv"
	"strings"
)

// protocolNames are the names of the IP protocols 0 to 137 as nfdump 1.7.1 writes them; a dash has none.
var protocolNames = strings.Fields(`
	- ICMP IGMP GGP IPIP ST TCP CBT EGP IGP BBN NVPII PUP ARGUS ENCOM XNET CHAOS UDP MUX DCN HMP PRM XNS Trnk1 Trnk2
	Leaf1 Leaf2 RDP IRTP ISO-4 NETBK MFESP MEINP DCCP 3PC IDPR XTP DDP IDPR TP++ IL IPv6 SDRP Rte6 Frag6 IDRP RSVP GRE
	MHRP BNA ESP AH INLSP SWIPE NARP MOBIL TLSP SKIP ICMP6 NOHE6 OPTS6 HOST CFTP NET SATNT KLAN RVD IPPC FS SATM VISA
	IPCV CPNX CPHB WSN PVP BSATM SUNND WBMON WBEXP ISOIP VMTP SVMTP VINES TTP NSIGP DGP TCF EIGRP OSPF S-RPC LARP MTP
	AX.25 OS MICP SCCSP ETHIP ENCAP - GMTP IFMP PNNI PIM ARIS SCPS QNX A/N IPcmp SNP CpqPP IPXIP VRRP PGM 0hop L2TP DDX
	IATP STP SRP UTI SMP SM PTP ISIS4 FIRE CRTP CRUDP - IPLT SPS PIPE SCTP FC - MHEAD UDP-L MPLS`)

// ProtocolName is the name of an IP protocol as nfdump 1.7.1 writes it, or its number.
func ProtocolName(p uint8) string {
	if int(p) < len(protocolNames) && protocolNames[p] != "-" {
		return protocolNames[p]
	}
	return strconv.Itoa(int(p))
}
