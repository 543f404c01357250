package posture

var checksPasswords = []Check{}
