package posture

var checksMonitoring = []Check{}
