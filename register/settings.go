package register

// Settings are the choices a tenant makes where the sources contradict each other
// (C1..C9), and the thresholds of checks. The zero value of each field means the
// default; SettingsTable documents them and Settled fills them in.
type Settings struct {
	// Names is C1: innocuous, recognisable or any.
	Names string `yaml:"names,omitempty"`
	// PasswordLength is C2: the least length of a password that is kept.
	PasswordLength int `yaml:"passwordLength,omitempty"`
	// Policies is C3: the treatment intended for policies that the register does
	// not name: judged (may include the accounts if they can satisfy it), excluded.
	Policies string `yaml:"policies,omitempty"`
	// KeysPerAccount is C4.
	KeysPerAccount int `yaml:"keysPerAccount,omitempty"`
	// Methods is C5: phishingResistant, oathAccepted.
	Methods string `yaml:"methods,omitempty"`
	// DrillDays is C6.
	DrillDays int `yaml:"drillDays,omitempty"`
	// Licence is C7: none, accepted, required.
	Licence string `yaml:"licence,omitempty"`
	// Owner is C8: nobody, manager.
	Owner string `yaml:"owner,omitempty"`
	// MFA is C9: required, excluded.
	MFA string `yaml:"mfa,omitempty"`

	AccountsMin         int `yaml:"accountsMin,omitempty"`
	AccountsMax         int `yaml:"accountsMax,omitempty"`
	GlobalAdminsMin     int `yaml:"globalAdminsMin,omitempty"`
	GlobalAdminsMax     int `yaml:"globalAdminsMax,omitempty"`
	UPNWarn             int `yaml:"upnWarn,omitempty"`
	UPNMax              int `yaml:"upnMax,omitempty"`
	AlertMinutes        int `yaml:"alertMinutes,omitempty"`
	AckMinutes          int `yaml:"ackMinutes,omitempty"`
	TAPMinutes          int `yaml:"tapMinutes,omitempty"`
	FailedSignIns       int `yaml:"failedSignIns,omitempty"`
	RetentionDays       int `yaml:"retentionDays,omitempty"`
	SealDays            int `yaml:"sealDays,omitempty"`
	TrainingDays        int `yaml:"trainingDays,omitempty"`
	RunbookDays         int `yaml:"runbookDays,omitempty"`
	CertificateDays     int `yaml:"certificateDays,omitempty"`
	HeartbeatMinutes    int `yaml:"heartbeatMinutes,omitempty"`
	ReevaluateMinutes   int `yaml:"reevaluateMinutes,omitempty"`
	AttestationDaysMost int `yaml:"attestationDaysMost,omitempty"`
	AcceptedDaysMost    int `yaml:"acceptedDaysMost,omitempty"`
}
