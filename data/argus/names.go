// Package argus has the names that ra, the client of Argus 3.0.8, prints: of protocols, of messages of ICMP, and of
// TCP's flags. Flows as Argus makes them are data/flows.
package argus

import "strings"

// Protocol is Proto of flows of IP, by the protocol's number.
func Protocol(number uint8) string { return protocols[number] }

var protocols = func() (names [256]string) {
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

// Types of ICMP and ICMPv6 that have a name of their own for each code, or share one with what answers them.
const (
	unreachable = 3

	echo6, echoReply6      = 128, 129
	query6, report6, done6 = 130, 131, 132
)

// ICMP is State of a message of ICMP; empty where ra prints nothing.
func ICMP(kind, code uint8) string {
	if kind == unreachable {
		if int(code) < len(unreachableBy) {
			return unreachableBy[code]
		}
		return "UR"
	}
	if int(kind) < len(messages) {
		return messages[kind]
	}
	return ""
}

var (
	unreachableBy = strings.Fields("URN URH URO URP URF URS URNU URHU URISO URNPRO URHPRO URNTOS URHTOS URFIL URPRE")
	messages      = strings.Split("ECR,,,UR,SRC,RED,AHA,,ECO,RTA,RTS,TXD,PAR,TST,TSR,IRQ,IRR,MAS,MSR,SEC,ROB,ROB,ROB,"+
		"ROB,ROB,ROB,ROB,ROB,ROB,ROB,TRC,DCE,MHR,WAY,IAH,MRQ,MRP,DNQ,DNP,SKP,PHO,NRS,NRA,NNS,NNA,PTB", ",")
)

// ICMPv6 is State of a message of ICMPv6. kind is that of Kind6.
func ICMPv6(kind, code uint8) string {
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
	case echo6:
		return "ECO"
	case query6:
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

// Kind6 is the type of ICMPv6 that stands for a message and its answer.
func Kind6(t uint8) uint8 {
	switch t {
	case echoReply6:
		return echo6
	case report6, done6:
		return query6
	case 134, 136:
		return t - 1
	}
	return t
}

// Flags is State of one side of TCP, by all flags that it sent, in the order of their bits.
func Flags(f uint8) string { return flagTexts[f] }

var flagTexts = func() (texts [256]string) {
	for f := range texts {
		for bit, letter := range "FSRPAUEC" {
			if f>>bit&1 == 1 {
				texts[f] += string(letter)
			}
		}
	}
	return texts
}()
