package register

// Settled fills in the defaults.
func (s Settings) Settled() Settings {
	text := func(p *string, d string) {
		if *p == "" {
			*p = d
		}
	}
	number := func(p *int, d int) {
		if *p == 0 {
			*p = d
		}
	}
	text(&s.Names, "innocuous")
	text(&s.Policies, "judged")
	text(&s.Methods, "phishingResistant")
	text(&s.Licence, "none")
	text(&s.Owner, "nobody")
	text(&s.MFA, "required")
	number(&s.PasswordLength, 40)
	number(&s.KeysPerAccount, 2)
	number(&s.DrillDays, 90)
	number(&s.AccountsMin, 2)
	number(&s.AccountsMax, 4)
	number(&s.GlobalAdminsMin, 2)
	number(&s.GlobalAdminsMax, 8)
	number(&s.UPNWarn, 32)
	number(&s.UPNMax, 49)
	number(&s.AlertMinutes, 15)
	number(&s.AckMinutes, 30)
	number(&s.TAPMinutes, 60)
	number(&s.FailedSignIns, 10)
	number(&s.RetentionDays, 365)
	number(&s.SealDays, 90)
	number(&s.TrainingDays, 365)
	number(&s.RunbookDays, 90)
	number(&s.CertificateDays, 60)
	number(&s.HeartbeatMinutes, 15)
	number(&s.ReevaluateMinutes, 60)
	number(&s.AttestationDaysMost, 365)
	return s
}
