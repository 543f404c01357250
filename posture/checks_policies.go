package posture

var checksPolicies = []Check{}
