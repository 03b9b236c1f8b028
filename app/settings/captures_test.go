package settings

import (
	"errors"
	"testing"
)

func TestValidateCaptures(t *testing.T) {
	for _, c := range []struct {
		captures Captures
		wrong    string // the field, "" for none
	}{
		{Captures{BodiesAll, 1, 1}, ""},
		{Captures{BodiesErrors, 1000, 1024}, ""},
		{Captures{BodiesOff, 100, 32}, ""},
		{Captures{"some", 100, 32}, FieldBodies},
		{Captures{"", 100, 32}, FieldBodies},
		{Captures{BodiesAll, 0, 32}, FieldExchanges},
		{Captures{BodiesAll, 1001, 32}, FieldExchanges},
		{Captures{BodiesAll, 100, 0}, FieldMemory},
		{Captures{BodiesAll, 100, 1025}, FieldMemory},
	} {
		s := Default()
		s.Captures = c.captures
		err := s.Validate(nil)
		var invalid *ValidationError
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%+v is refused: %v", c.captures, err)
		case c.wrong != "" && (!errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Field(c.wrong) == ""):
			t.Errorf("%+v: got %v, want a problem with %s", c.captures, err, c.wrong)
		}
	}
}
