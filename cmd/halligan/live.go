package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/register"
)

// liveFlags are the flags of commands that read a live tenant.
type liveFlags struct {
	profile string
	azure   bool
	timeout time.Duration
}

func (l *liveFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&l.profile, "profile", "", "`NAME` under which you signed in (halligan login --profile), when there are several tenants")
	flags.BoolVar(&l.azure, "azure", false, "read the tenant's Azure resources too: alert rules, workspaces, rights at the root")
	flags.DurationVar(&l.timeout, "timeout", 10*time.Minute, "`TIME` after which a reading of a live tenant ends with what it has")
}

// home is the folder in which Halligan keeps who signed in: HALLIGAN_HOME, else
// the platform's folder for settings.
func (c *console) home() (string, error) {
	if dir := c.getenv("HALLIGAN_HOME"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", &fault{exitFailed, fmt.Errorf("find the folder for settings: %v", err), "set HALLIGAN_HOME to a folder of your own"}
	}
	return filepath.Join(dir, "halligan"), nil
}

// profile loads how somebody signed in.
func (c *console) profile(name string) (graph.Profile, error) {
	dir, err := c.home()
	if err != nil {
		return graph.Profile{}, err
	}
	p, err := graph.LoadProfile(dir, name)
	if errors.Is(err, graph.ErrNoProfile) {
		return p, &fault{exitNotSignedIn, errors.New("read a tenant: nobody is signed in" + ifElse(name != "", " as profile "+name, "")), "halligan login, or give an export with --from"}
	}
	return p, err
}

// network applies what the register says about the way to the tenant. Nothing is
// taken from the environment.
func network(s *graph.SignIn, reg *register.Register) error {
	known := reg.Or()
	if known.Proxy != "" {
		proxy, err := url.Parse(known.Proxy)
		if err != nil || proxy.Host == "" {
			return &fault{exitFailed, fmt.Errorf("use proxy %q: it is no address", known.Proxy), "write proxy: http://proxy.example:3128 in " + registerFile}
		}
		s.Proxy = proxy
	}
	if known.CABundle != "" {
		roots, err := graph.LoadRoots(known.CABundle, true)
		if err != nil {
			return err
		}
		s.Roots = roots
	}
	return nil
}

// live is a signed-in tenant.
type live struct {
	client *graph.Client
	signIn graph.SignIn
	name   string // for people
}

// tenant makes a client of whoever is signed in. It asks a person again only on a
// terminal, and only where tokens cannot be kept.
func (c *console) tenant(l *liveFlags, reg *register.Register, observe func(graph.Event)) (*live, error) {
	p, err := c.profile(l.profile)
	if err != nil {
		return nil, err
	}
	s, err := p.SignIn()
	if err != nil {
		return nil, err
	}
	if err := network(&s, reg); err != nil {
		return nil, err
	}
	s.Interactive = p.Store == "" && isTerminal(c.stderr)
	s.Prompt = c.showCode
	if p.Method == graph.MethodSecret && p.SecretFile == "" {
		text, err := c.typed("Client secret: ", "give --secret-file FILE, mode 0600")
		if err != nil {
			return nil, &fault{exitNotSignedIn, errors.New("sign in by secret: the secret is not kept, and there is no terminal on which to ask for it"), "halligan login --method secret --secret-file FILE"}
		}
		s.Secret = custody.NewSecret(text)
	}
	credential, err := s.Build()
	if err != nil {
		return nil, err
	}
	client, err := c.clientFor(s, p.Permissions, credential, observe)
	if err != nil {
		return nil, err
	}
	return &live{client, s, "tenant " + p.Tenant}, nil
}

func (c *console) clientFor(s graph.SignIn, permissions []string, credential azcore.TokenCredential, observe func(graph.Event)) (*graph.Client, error) {
	return c.dial(graph.Config{Cloud: s.Cloud, Tenant: s.Tenant, Credential: credential, Scopes: s.Scopes(permissions), Proxy: s.Proxy, Roots: s.Roots,
		Observe: observe})
}

// dial makes a client.
func (c *console) dial(config graph.Config) (*graph.Client, error) {
	config.UserAgent = "halligan/" + versionName()
	if c.tune != nil {
		c.tune(&config)
	}
	return graph.New(config)
}

// showCode tells a person where to enter a device code.
func (c *console) showCode(_ context.Context, address, code string) error {
	_, err := fmt.Fprintf(c.stderr, "Open %s and enter the code %s\n", escape(address), escape(code))
	return err
}

// asLive gives an error of a live tenant its exit code.
func asLive(err error) error {
	if graph.KindOf(err) == graph.KindNotSignedIn {
		return &fault{exitNotSignedIn, err, hintOf(err)}
	}
	return err
}

// asUnread is asLive for commands that judge: a tenant that could not be read is
// looked at, and not known.
func asUnread(err error) error {
	if kind := graph.KindOf(err); kind != graph.KindUnknown && kind != graph.KindNotSignedIn {
		return &fault{exitUndetermined, err, hintOf(err)}
	}
	return asLive(err)
}

// limitedTenant is a tenant that is read within a time; what was not read by then stays
// unknown.
type limitedTenant struct {
	*graph.Client
	most time.Duration
}

// Read reads the tenant within the time.
func (l limitedTenant) Read(ctx context.Context, scope graph.Scope) (*entra.Snapshot, error) {
	ctx, cancel := context.WithTimeout(ctx, l.most)
	defer cancel()
	return l.Client.Read(ctx, scope)
}

// readLive lets a request read the tenant of whoever is signed in.
func (c *console) readLive(req *app.ProveRequest, l *liveFlags, registerPath string) error {
	reg, _, err := readRegister(registerPath)
	if err != nil {
		return err
	}
	var done atomic.Int64
	t, err := c.tenant(l, reg, func(e graph.Event) {
		if req.Progress == nil {
			return
		}
		if e.Wait > 0 {
			req.Progress(fmt.Sprintf("%d answers; waiting %s: %s", done.Load(), e.Wait.Round(time.Second/10), e.Reason))
			return
		}
		req.Progress(fmt.Sprintf("reading: %d answers", done.Add(1)))
	})
	if err != nil {
		return err
	}
	req.Tenant, req.TenantName, req.Azure = limitedTenant{t.client, l.timeout}, t.name, l.azure
	return nil
}
