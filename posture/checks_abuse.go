package posture

var checksAbuse = []Check{}
