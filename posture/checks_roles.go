package posture

var checksRoles = []Check{}
