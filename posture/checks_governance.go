package posture

var checksGovernance = []Check{}
