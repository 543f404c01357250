package posture

var checksRisk = []Check{}
