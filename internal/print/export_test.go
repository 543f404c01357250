package print

// What is done to a text before it is drawn, for tests: on paper it is seen, but
// readers of PDF put it back.
var (
	Visible = visible
	Shape   = shape
	Arrange = arrange
	Single  = single
)
