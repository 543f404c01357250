package posture

var checksGroups = []Check{}
