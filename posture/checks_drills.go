package posture

var checksDrills = []Check{}
