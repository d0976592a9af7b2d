// Package pseudonym replaces addresses by others, keyed and the same every time, so that results can be shown to people
// who must not know whose traffic it was. Two addresses that share a prefix of n bits share one of n bits after, and no
// longer one, so that networks stay networks. Who may read the key can undo it; nothing else is hidden: times, ports
// and sizes stay as they are.
package pseudonym
