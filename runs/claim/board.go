package claim

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Files is where claims are kept. A folder is one ([Folder]); tests put one in its place whose reads are old.
type Files interface {
	// Create makes a file whole; the error wraps [fs.ErrExist] where there is one.
	Create(name string, content []byte) error
	// List is the names of all files.
	List() ([]string, error)
	// Read is a file's content; the error wraps [fs.ErrNotExist] where there is none.
	Read(name string) ([]byte, error)
	// Remove deletes a file; that there is none is no error.
	Remove(name string) error
}

// Board is the claims on the work of one folder, as one process sees them.
type Board struct {
	Files Files
	Self  Owner
	// Ask says what a scheduler knows of a job that the claim of another machine names.
	Ask func(context.Context, Job) (State, error)
	// TakeOver treats owners of which nothing can be known as gone: somebody has said that they are.
	TakeOver bool
}

// State is what is known of an owner.
type State int

// What is known of an owner.
const (
	Unknown State = iota // nothing: it counts as alive
	Alive
	Gone
)

// ErrHeld is wrapped by the error of [Board.Take] where somebody else has the claim.
var ErrHeld = errors.New("is claimed")

// HeldError is the error where somebody else has a claim.
type HeldError struct {
	Name  string
	Owner Owner
	State State // Alive or Unknown
}

// Error names the owner, and says so where nothing is known of it.
func (e *HeldError) Error() string {
	text := fmt.Sprintf("%s is claimed by %s", e.Name, e.Owner)
	if e.State == Unknown {
		text += ", of which nothing can be known here"
	}
	return text
}

// Unwrap is [ErrHeld].
func (e *HeldError) Unwrap() error { return ErrHeld }

// Claim is a claim that this process has.
type Claim struct {
	board      *Board
	name       string
	generation int
}

// attempts is how often a claim is tried for while others come and go.
const attempts = 100

// Take makes the claim on a name, which must hold no dot and no slash. The error wraps [ErrHeld] where somebody has it
// who is not known to be gone. Whoever has got it looks whether the work is done meanwhile.
func (b *Board) Take(ctx context.Context, name string) (*Claim, error) {
	if name == "" || strings.ContainsAny(name, "./\\") {
		return nil, fmt.Errorf("claim: %q cannot be claimed", name)
	}
	text, err := json.Marshal(b.Self)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	generation, before := 1, "" // before: the token of the owner that is gone
	for range attempts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		err := b.Files.Create(file(name, generation), text)
		made := err == nil
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("claim: %w", err)
		}
		highest, err := b.highest(name)
		if err != nil {
			if made {
				err = errors.Join(err, b.removeOwn(name, generation))
			}
			return nil, err
		}
		if made && highest <= generation {
			// what was read before may have been old: after one's own change of the folder it is not
			if o, err := b.owner(file(name, generation-1)); generation == 1 || err == nil && o.Token == before {
				return &Claim{b, name, generation}, nil
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, errors.Join(err, b.removeOwn(name, generation))
			}
		}
		if made { // one that others followed, or that its owner gives back: it is not in force
			if err := b.removeOwn(name, generation); err != nil {
				return nil, err
			}
		}
		if highest == 0 || made && highest <= generation { // given back meanwhile
			generation = 1
			continue
		}
		owner, err := b.owner(file(name, highest))
		switch {
		case errors.Is(err, fs.ErrNotExist): // given back meanwhile
			generation = 1
			continue
		case err != nil:
			return nil, err
		}
		if owner.Token == b.Self.Token {
			return nil, &HeldError{name, *owner, Alive}
		}
		if state := b.state(ctx, owner); state != Gone {
			return nil, &HeldError{name, *owner, state}
		}
		generation, before = highest+1, owner.Token
	}
	return nil, fmt.Errorf("claim: %s: others come and go, %d attempts", name, attempts)
}

// state is what is known of an owner.
func (b *Board) state(ctx context.Context, o *Owner) State {
	s := b.Self.knows(ctx, o, b.Ask)
	if s == Unknown && b.TakeOver {
		return Gone
	}
	return s
}

// owner reads a claim. One that cannot be understood is of nobody that can be known.
func (b *Board) owner(name string) (*Owner, error) {
	raw, err := b.Files.Read(name)
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	var o Owner
	if json.Unmarshal(raw, &o) != nil {
		o = Owner{Host: "somebody who left no name"}
	}
	return &o, nil
}

// highest is the generation in force of a name, 0 where nobody has it.
func (b *Board) highest(name string) (int, error) {
	names, err := b.Files.List()
	if err != nil {
		return 0, fmt.Errorf("claim: %w", err)
	}
	highest := 0
	for _, n := range names {
		if of, g, ok := parse(n); ok && of == name {
			highest = max(highest, g)
		}
	}
	return highest, nil
}

func file(name string, generation int) string { return name + "." + strconv.Itoa(generation) }

// parse is the name and generation of a claim's file.
func parse(file string) (name string, generation int, ok bool) {
	name, number, found := strings.Cut(file, ".")
	generation, err := strconv.Atoi(number)
	return name, generation, found && name != "" && err == nil && generation > 0
}

// Mine says whether the claim is in force still: nobody has taken it over who was sure that this process is gone.
func (c *Claim) Mine() (bool, error) {
	highest, err := c.board.highest(c.name)
	if err != nil || highest != c.generation {
		return false, err
	}
	return c.board.own(c.name, c.generation)
}

// own says whether a claim's file is this process's. When all generations were given back, the first one can be made
// anew, and a deletion that comes late, as of one whose answer was lost, must not be of another's.
func (b *Board) own(name string, generation int) (bool, error) {
	o, err := b.owner(file(name, generation))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && o.Token == b.Self.Token, err
}

// removeOwn deletes a claim's file if it is this process's.
func (b *Board) removeOwn(name string, generation int) error {
	own, err := b.own(name, generation)
	if err == nil && own {
		err = b.Files.Remove(file(name, generation))
	}
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	return nil
}

// Release gives the claim back. Earlier generations go first, so that this one is in force to the last.
func (c *Claim) Release() error {
	own, err := c.board.own(c.name, c.generation)
	if err != nil || !own {
		return err
	}
	var errs []error
	for g := 1; g <= c.generation; g++ {
		errs = append(errs, c.board.Files.Remove(file(c.name, g)))
	}
	return errors.Join(errs...)
}

// Tidy gives the claim back, and takes a folder of claims away if it was the last.
func (c *Claim) Tidy() error {
	err := c.Release()
	if f, ok := c.board.Files.(Folder); ok {
		f.Tidy()
	}
	return err
}

// Held is a claim in force.
type Held struct {
	Name  string
	Owner Owner
	State State
}

// Held is the claims in force by name, with what is known of their owners.
func (b *Board) Held(ctx context.Context) ([]Held, error) {
	names, err := b.Files.List()
	if err != nil {
		return nil, fmt.Errorf("claim: %w", err)
	}
	highest := map[string]int{}
	for _, n := range names {
		if of, g, ok := parse(n); ok {
			highest[of] = max(highest[of], g)
		}
	}
	asked := map[string]State{}
	var out []Held
	for name, g := range highest {
		owner, err := b.owner(file(name, g))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		state, known := asked[owner.Token]
		if !known || owner.Token == "" {
			state = b.state(ctx, owner)
			asked[owner.Token] = state
		}
		out = append(out, Held{name, *owner, state})
	}
	slices.SortFunc(out, func(a, b Held) int { return cmp.Compare(a.Name, b.Name) })
	return out, nil
}

// clean removes the claims of an owner that is gone, for one who has made sure that nobody else is at work.
func (b *Board) clean(name string) error {
	names, err := b.Files.List()
	if err != nil {
		return fmt.Errorf("claim: %w", err)
	}
	for _, n := range names {
		if of, _, ok := parse(n); ok && of == name {
			err = errors.Join(err, b.Files.Remove(n))
		}
	}
	return err
}

// Alone makes the claim on everything: the error wraps [ErrHeld] while others have claims on any other name. Those who
// claim one name look for this claim after they have theirs ([Board.Free]), so that of two that begin at once at least
// one sees the other.
func (b *Board) Alone(ctx context.Context, name string) (*Claim, error) {
	c, err := b.Take(ctx, name)
	if err != nil {
		return nil, err
	}
	held, err := b.Held(ctx)
	for _, h := range held {
		if err != nil || h.Name == name {
			continue
		}
		if h.State == Gone {
			err = b.clean(h.Name)
			continue
		}
		err = &HeldError{h.Name, h.Owner, h.State}
	}
	if err != nil {
		return nil, errors.Join(err, c.Release())
	}
	return c, nil
}

// Free is an error that wraps [ErrHeld] where somebody not known to be gone has the name.
func (b *Board) Free(ctx context.Context, name string) error {
	highest, err := b.highest(name)
	if err != nil || highest == 0 {
		return err
	}
	owner, err := b.owner(file(name, highest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if s := b.state(ctx, owner); s != Gone {
		return &HeldError{name, *owner, s}
	}
	return nil
}

// now is the time that claims tell people; nothing depends on it.
var now = func() time.Time { return time.Now().UTC().Truncate(time.Second) }
