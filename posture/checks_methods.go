package posture

var checksMethods = []Check{}
