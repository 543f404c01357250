package posture

var checksCustody = []Check{}
