package main
import ("testing";"fmt")
func TestProbe(t *testing.T) {
	f := openTenant(t, "contoso-hardened", hardened...)
	for _, spec := range []string{"15=grant","15=type","16=order"} {
		c := &faultCase{spec: spec, want: overcome}
		got := c.run(t, f)
		t.Log(spec, got.report.Verdict, fmt.Sprintf("%+v | %+v", got.report.Troubles, got.report.Notes))
		for _, fi := range got.report.Findings { if fi.Status=="indeterminate" && spec!="16=order" { t.Log(fi.Check, fi.Says) } }
		if spec=="16=order" { got = c.run(t, f, "parts of a batch are told apart by id"); t.Log(got.report.Verdict, unread(got)); for _,p:=range got.report.Parts {t.Log(p)} }
	}
}
