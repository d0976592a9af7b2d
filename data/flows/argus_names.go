package flows

import (
	"fmt"
	"strings"

	"plumbline/data/packets"
)

// argusProto is Proto: the protocol's name as ra 3.0.8 prints it.
func argusProto(c *Conn) string {
	if c.Version == 0 {
		if c.EtherType == packets.EtherTypeARP {
			return "arp"
		}
		return fmt.Sprintf("0x%04x", c.EtherType)
	}
	return argusProtos[c.Proto]
}

var argusProtos = func() (names [256]string) {
	for i := range names {
		names[i] = "unas"
	}
	copy(names[:], strings.Fields(`ip icmp igmp ggp ipnip st2 tcp cbt egp igp bbn-rcc nvp pup argus emcon xnet chaos
		udp mux dcn hmp prm xns-idp trunk-1 trunk-2 leaf-1 leaf-2 rdp irtp iso-tp4 netblt mfe-nsp merit-inp sep 3pc idpr
		xtp ddp idpr-cmtp tp++ il ipv6 sdrp ipv6-route ipv6-frag idrp rsvp gre mhrp bna esp ah i-nlsp swipe narp mobile
		tlsp skip ipv6-icmp ipv6-no ipv6-opts any cftp any sat-expak kryptolan rvd ippc any sat-mon visa ipcv cpnx cphb
		wsn pvp br-sat-mon sun-nd wb-mon wb-expak iso-ip vmtp secure-vmtp vines ttp nsfnet-igp dgp tcf eigrp ospf
		sprite-rpc larp mtp ax.25 ipip micp aes-sp3-d etherip encap pri-enc gmtp ifmp pnni pim aris scps qnx a/n ipcomp
		snp compaq-peer ipx-n-ip vrrp pgm zero l2tp ddx iatp stp srp uti smp sm ptp isis fire crtp crudp sccopmce iplt
		sps pipe sctp fc rsvp`))
	names[253] = "ib"
	return names
}()

// argusICMP is State of a message of ICMP.
func argusICMP(kind, code uint8) string {
	if kind == icmpUnreachable {
		if int(code) < len(argusUnreachable) {
			return argusUnreachable[code]
		}
		return "UR"
	}
	if int(kind) < len(argusMessages) {
		return argusMessages[kind]
	}
	return ""
}

var (
	argusUnreachable = strings.Fields("URN URH URO URP URF URS URNU URHU URISO URNPRO URHPRO URNTOS URHTOS URFIL URPRE")
	argusMessages    = strings.Split("ECR,,,UR,SRC,RED,AHA,,ECO,RTA,RTS,TXD,PAR,TST,TSR,IRQ,IRR,MAS,MSR,SEC,ROB,ROB,ROB,"+
		"ROB,ROB,ROB,ROB,ROB,ROB,ROB,TRC,DCE,MHR,WAY,IAH,MRQ,MRP,DNQ,DNP,SKP,PHO,NRS,NRA,NNS,NNA,PTB", ",")
)

// argusICMPv6 is State of a message of ICMPv6; the kind is that of a message and its answer.
func argusICMPv6(kind, code uint8) string {
	of := func(names string) string {
		if list := strings.Fields(names); int(code) < len(list) {
			return list[code]
		}
		return "UNK"
	}
	switch kind {
	case 1:
		return of("URNR URAD URBS URAR URP URSF URRR URES")
	case 2:
		return "PTB"
	case 3:
		return of("TXT TXR")
	case 4:
		return of("PPH PPNH PPO")
	case icmp6Echo:
		return "ECO"
	case icmp6Query:
		return "MRQ"
	case 133:
		return "NRS"
	case 135:
		return "NNS"
	case 137:
		return "RED"
	case 143:
		return "MHR"
	}
	return "UNK"
}
