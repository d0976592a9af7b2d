package settings

// Form is one way to write a setting. Exactly one field but Required says what it is; the zero Form is any text.
type Form struct {
	Texts    []string // one of these texts
	Bools    bool     // true or false
	List     *Form    // a list of at least one
	Keys     any      // a struct, whose fields are the keys of a map
	Required []string // of Keys: those that must be there
}

// Formed is a type that takes more than one form, which its UnmarshalSettings tells apart. Schemas and editors are
// told of them by it.
type Formed interface{ Forms() []Form }
