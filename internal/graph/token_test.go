package graph_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"halligan/internal/graph"
)

// Fault 14.
func TestTokenOfAnotherTenantIsRefused(t *testing.T) {
	for name, claims := range map[string]map[string]any{
		"another tenant":   {"tid": otherTenant, "aud": base},
		"another audience": {"tid": tenant, "aud": "https://management.azure.com"},
	} {
		t.Run(name, func(t *testing.T) {
			w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }}
			c := inMemory(t, w, func(c *graph.Config) {
				c.Credential = &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) {
					return azcore.AccessToken{Token: token(claims), ExpiresOn: time.Now().Add(time.Hour)}, nil
				}}
			})
			_, err := c.List(t.Context(), users)
			if err == nil || w.count() != 0 {
				t.Fatalf("%d requests were sent: %v", w.count(), err)
			}
			if k := graph.KindOf(err); k != graph.KindRefused && k != graph.KindNotSignedIn {
				t.Errorf("kind %q: %v", k, err)
			}
			if strings.Contains(err.Error(), "eyJ") {
				t.Errorf("the token is in the error")
			}
		})
	}
}

func TestTenantThatChangesInMidRunIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }}
		c := inMemory(t, w, func(c *graph.Config) {
			c.Tenant = "contoso.com"
			c.Credential = &credential{give: func(n int, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
				return azcore.AccessToken{Token: token(map[string]any{"tid": []string{tenant, otherTenant}[n-1], "aud": base}), ExpiresOn: time.Now().Add(10 * time.Minute)}, nil
			}}
		})
		if _, err := c.List(t.Context(), users); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Minute)
		if _, err := c.List(t.Context(), users); graph.KindOf(err) != graph.KindRefused {
			t.Errorf("got %v", err)
		}
		if err := c.CheckTenant(strings.ToUpper(tenant)); err != nil {
			t.Error(err)
		}
		for _, id := range []string{otherTenant, "", "contoso.com"} {
			if _, is := errors.AsType[*graph.SecurityError](c.CheckTenant(id)); !is {
				t.Errorf("%q was taken", id)
			}
		}
	})
}

// Fault 22.
func TestTokenThatEndsInMidRunIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) { return good(20 * time.Minute), nil }}
		w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
			if n < 10 {
				time.Sleep(5 * time.Minute)
				return reply(200, `{"value":[],"@odata.nextLink":"https://graph.test/v1.0/users?p=`+strings.Repeat("x", n)+`"}`), nil
			}
			return reply(200, empty), nil
		}}
		c := inMemory(t, w, func(c *graph.Config) {
			c.Credential = cred
			c.Limits.List, c.Limits.Operation, c.Limits.Attempt = time.Hour, time.Hour, time.Hour
		})
		if _, err := c.List(t.Context(), users); err != nil {
			t.Fatal(err)
		}
		if n := cred.count(); n < 3 || n > 4 {
			t.Errorf("%d tokens for 45 minutes of 20-minute tokens", n)
		}
	})
}

func TestTokenRefusedByAClockIsRenewedOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		refusals, asked, tokens int
		ok                      bool
	}{
		"refused once":     {1, 2, 2, true},
		"refused for ever": {99, 2, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			cred := &credential{}
			w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
				if n <= tt.refusals {
					return reply(401, `{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime validation failed, the token is expired."}}`), nil
				}
				return reply(200, empty), nil
			}}
			_, err := inMemory(t, w, func(c *graph.Config) { c.Credential = cred }).List(t.Context(), users)
			if (err == nil) != tt.ok || w.count() != tt.asked || cred.count() != tt.tokens {
				t.Errorf("%d requests, %d tokens: %v", w.count(), cred.count(), err)
			}
			if !tt.ok {
				wantKind(t, err, graph.KindNotSignedIn)
			}
		})
	}
}

// A request that begins between the refusal of a token and the attempt with a new one
// must not bring the refused one back.
func TestARefusedTokenIsNotTakenByAnotherRequestMeanwhile(t *testing.T) {
	cred := &credential{give: func(n int, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: token(map[string]any{"tid": tenant, "aud": base, "n": n}), ExpiresOn: time.Now().Add(time.Hour)}, nil
	}}
	first := "Bearer " + token(map[string]any{"tid": tenant, "aud": base, "n": 1})
	arrived, done := make(chan struct{}), make(chan struct{})
	w := &wire{answer: func(n int, r *http.Request) (*http.Response, error) {
		if n == 2 { // the other one
			close(arrived)
			<-done
		} else if r.Header.Get("Authorization") == first {
			return reply(401, `{"error":{"code":"InvalidAuthenticationToken"}}`), nil
		}
		return reply(200, empty), nil
	}}
	var c *graph.Client
	var once sync.Once
	var other sync.WaitGroup
	c = inMemory(t, w, func(config *graph.Config) {
		config.Credential = cred
		config.Observe = func(e graph.Event) {
			if e.Status == 401 {
				once.Do(func() {
					other.Go(func() { _, _ = c.List(t.Context(), users) })
					<-arrived
				})
			}
		}
	})
	_, err := c.List(t.Context(), users)
	close(done)
	other.Wait()
	if err != nil {
		t.Error(err)
	}
}

func TestTokenThatHasEndedAlreadyIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) { return good(0), nil }}
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) { return reply(200, empty), nil }}
		c := inMemory(t, w, func(c *graph.Config) { c.Credential = cred })
		for range 50 {
			if _, err := c.List(t.Context(), users); err != nil {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if n := cred.count(); n != 1 {
			t.Errorf("%d tokens in 5 s", n)
		}
	})
}

func TestManyRefusedRequestsBringOneNewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		cred := &credential{give: func(n int, _ policy.TokenRequestOptions) (azcore.AccessToken, error) {
			made = n
			return azcore.AccessToken{Token: token(map[string]any{"tid": tenant, "aud": base, "n": n}), ExpiresOn: time.Now().Add(time.Hour)}, nil
		}}
		first := "Bearer " + token(map[string]any{"tid": tenant, "aud": base, "n": 1})
		w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
			time.Sleep(time.Second)
			if r.Header.Get("Authorization") == first {
				return reply(401, `{"error":{"code":"InvalidAuthenticationToken"}}`), nil
			}
			return reply(200, empty), nil
		}}
		c := inMemory(t, w, func(c *graph.Config) { c.Credential = cred })
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := c.List(t.Context(), users); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if made != 2 {
			t.Errorf("%d tokens, want 2", made)
		}
	})
}

func TestWriteThatWaitedForATokenInVainWasNotDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inMemory(t, &wire{}, func(c *graph.Config) { c.Credential = slow{} })
		_, err := c.Do(t.Context(), graph.Request{Method: "POST", Path: "/groups", Body: []byte(`{}`)})
		if err == nil || errors.Is(err, graph.ErrOutcomeUnknown) {
			t.Errorf("got %v", err)
		}
	})
}

// Fault 23.
func TestClaimsChallengeBringsExactlyOneNewToken(t *testing.T) {
	want := `{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}`
	challenge := `Bearer realm="", authorization_uri="https://login.test/common/oauth2/authorize", error="insufficient_claims", claims="` +
		base64.StdEncoding.EncodeToString([]byte(want)) + `"`
	for name, tt := range map[string]struct {
		refusals, asked int
		ok              bool
	}{
		"and it is taken":        {1, 2, true},
		"and it is refused, too": {99, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			cred := &credential{}
			w := &wire{answer: func(n int, _ *http.Request) (*http.Response, error) {
				if n <= tt.refusals {
					return reply(401, `{"error":{"code":"InvalidAuthenticationToken","message":"Continuous access evaluation resulted in challenge"}}`, "WWW-Authenticate", challenge), nil
				}
				return reply(200, empty), nil
			}}
			_, err := inMemory(t, w, func(c *graph.Config) { c.Credential = cred }).List(t.Context(), users)
			if (err == nil) != tt.ok || w.count() != tt.asked {
				t.Errorf("%d requests: %v", w.count(), err)
			}
			if cred.count() != 2 || cred.asked[0].Claims != "" || cred.asked[1].Claims != want || !cred.asked[1].EnableCAE {
				t.Errorf("asked for %+v", cred.asked)
			}
			if !tt.ok {
				wantKind(t, err, graph.KindNotSignedIn)
			}
		})
	}
}

func TestChallengeThatIsNeverMetIsAnsweredOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{}
		challenge := `Bearer error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(`{}`)) + `"`
		w := &wire{answer: func(int, *http.Request) (*http.Response, error) {
			return reply(401, "", "WWW-Authenticate", challenge), nil
		}}
		c := inMemory(t, w, func(c *graph.Config) { c.Credential = cred })
		for range 10 {
			if _, err := c.List(t.Context(), users); err == nil {
				t.Fatal("no error")
			}
			time.Sleep(time.Minute)
		}
		answered := 0
		for _, o := range cred.asked {
			if o.Claims != "" {
				answered++
			}
		}
		if answered != 1 || cred.count() != 2 { // what answers the challenge is for all
			t.Errorf("%d tokens, %d of them for one challenge", cred.count(), answered)
		}
	})
}

func TestManyChallengesAtOnceBringOneNewToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{give: func(n int, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
			tk := good(time.Hour)
			if o.Claims != "" {
				tk.Token = token(map[string]any{"tid": tenant, "aud": base, "new": true})
			}
			return tk, nil
		}}
		first := good(0).Token
		challenge := `Bearer error="insufficient_claims", claims="` + base64.StdEncoding.EncodeToString([]byte(`{}`)) + `"`
		w := &wire{answer: func(_ int, r *http.Request) (*http.Response, error) {
			time.Sleep(100 * time.Millisecond)
			if r.Header.Get("Authorization") == "Bearer "+first {
				return reply(401, "", "WWW-Authenticate", challenge), nil
			}
			return reply(200, empty), nil
		}}
		c := inMemory(t, w, func(c *graph.Config) { c.Credential = cred })
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				if _, err := c.List(t.Context(), users); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		challenged := 0
		for _, o := range cred.asked {
			if o.Claims != "" {
				challenged++
			}
		}
		if challenged != 1 || cred.count() > 3 {
			t.Errorf("%d tokens, %d of them for the challenge", cred.count(), challenged)
		}
	})
}

// Fault 24.
func TestFailingSignInIsNoStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cred := &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) {
			time.Sleep(time.Second)
			return azcore.AccessToken{}, errors.New("AADSTS7000222: The provided client secret keys for app 'x' are expired.\r\nTrace ID: 1\nPOST https://login/secret")
		}}
		w := &wire{}
		c := inMemory(t, w, func(c *graph.Config) { c.Credential = cred })
		var wg sync.WaitGroup
		for range 30 {
			wg.Go(func() {
				_, err := c.List(t.Context(), users)
				e, is := errors.AsType[*graph.SignInError](err)
				if !is || e.Code != "AADSTS7000222" || !strings.Contains(e.Error(), "expired") || strings.Contains(e.Error(), "Trace") || e.Hint() == "" {
					t.Errorf("got %v", err)
				}
			})
		}
		wg.Wait()
		if cred.count() != 1 || w.count() != 0 {
			t.Errorf("%d sign-ins, %d requests", cred.count(), w.count())
		}
		time.Sleep(time.Minute)
		if _, err := c.List(t.Context(), users); err == nil || cred.count() != 2 {
			t.Errorf("a minute later: %d sign-ins", cred.count())
		}
	})
}

func TestSlowSignInEndsAtTheDeadlineOfEachRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{}
		c := inMemory(t, w, func(c *graph.Config) {
			c.Limits.Attempt, c.Limits.Operation = 5*time.Second, 20*time.Second
			c.Credential = slow{}
		})
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if _, err := c.List(t.Context(), users); err == nil {
					t.Error("no error")
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func TestClaimsAreReadAndNotPrinted(t *testing.T) {
	c, err := graph.ReadClaims(token(map[string]any{
		"tid": tenant, "aud": base, "appid": "app", "oid": "o", "upn": "ann@contoso.com", "scp": "User.Read.All Policy.Read.All", "roles": []string{"AuditLog.Read.All"},
		"exp": 1700003600, "iat": 1700000000, "xms_cc": []string{"cp1"}, "wids": []string{"62e90394-69f5-4237-9190-012177145e10"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if c.Tenant != tenant || c.Name != "ann@contoso.com" || !c.Continuous || c.IsApplication() || c.Expires.Sub(c.Issued) != time.Hour {
		t.Errorf("%+v", c)
	}
	if got := c.Granted(); !slices.Equal(got, []string{"AuditLog.Read.All", "Policy.Read.All", "User.Read.All"}) {
		t.Errorf("granted %v", got)
	}
	if got := c.Missing([]string{"User.Read.All", "Domain.Read.All"}); !slices.Equal(got, []string{"Domain.Read.All"}) {
		t.Errorf("missing %v", got)
	}
	for _, bad := range []string{"", "a.b", "a.!!!.c", "a.e30", "opaque", "a." + base64.RawURLEncoding.EncodeToString([]byte(`[]`)) + ".c", strings.Repeat("a", 1<<20)} {
		if _, err := graph.ReadClaims(bad); err == nil || len(bad) > 3 && strings.Contains(err.Error(), bad) {
			t.Errorf("%.20q: %v", bad, err)
		}
	}
}
