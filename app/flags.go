package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"apex-ai-proxy/app/secret"
	"apex-ai-proxy/proxy/provider"
	"apex-ai-proxy/proxy/spelling"
)

const program = "apex-ai-proxy"

// The commands. The empty one opens the window.
const (
	cmdNone     = ""
	cmdServe    = "serve"
	cmdDoctor   = "doctor"
	cmdToken    = "token"
	cmdKey      = "key"
	cmdVersion  = "version"
	cmdLicenses = "licenses"
	cmdHelp     = "help"
)

var commands = []string{cmdServe, cmdDoctor, cmdToken, cmdKey, cmdVersion, cmdLicenses, cmdHelp}

// commandLine is what the user typed, understood.
type commandLine struct {
	command string
	flags   map[string]string // by name, only those given
	args    []string          // behind the command
}

// topic is the command that help was asked about.
func (l commandLine) topic() string {
	if len(l.args) == 0 {
		return cmdNone
	}
	return l.args[0]
}

var errHelp = errors.New("help asked for")

// parse understands the arguments behind the program's name. Flags may come before and
// behind the command.
func parse(args []string) (commandLine, error) {
	line := commandLine{flags: make(map[string]string)}
	rest, err := parseFlags(args, line.flags)
	if errors.Is(err, errHelp) {
		return commandLine{command: cmdHelp}, nil
	}
	if err != nil {
		return line, err
	}
	if len(rest) == 0 {
		return line, nil
	}
	line.command = rest[0]
	if !slices.Contains(commands, line.command) {
		return line, unknownCommand(line.command)
	}
	line.args, err = parseFlags(rest[1:], line.flags)
	if errors.Is(err, errHelp) {
		return commandLine{command: cmdHelp, args: []string{line.command}}, nil
	}
	if err != nil {
		return line, err
	}
	if line.command == cmdToken && slices.ContainsFunc(line.args, asksForHelp) {
		return commandLine{command: cmdHelp, args: []string{line.command}}, nil
	}
	return line, line.check()
}

// asksForHelp tells whether an argument does, behind the word that says what to do.
func asksForHelp(arg string) bool {
	return slices.Contains([]string{"-h", "--h", "-help", "--help"}, arg)
}

// check refuses what does not go with the command.
func (l commandLine) check() error {
	switch l.command {
	case cmdServe, cmdDoctor:
		if len(l.args) > 0 {
			return usage("%s takes only flags, not %q", l.command, l.args[0])
		}
		return nil
	case cmdHelp:
		if len(l.args) > 0 && !slices.Contains(commands, l.args[0]) {
			return unknownCommand(l.args[0])
		}
	case cmdToken:
		if err := checkToken(l.args); err != nil {
			return err
		}
	default:
		if len(l.args) > 0 {
			return usage("%s takes no arguments", l.command)
		}
	}
	for name := range l.flags {
		return usage("--%s cannot be used with %q", name, l.command)
	}
	return nil
}

// tokenActions are what "token" can do.
var tokenActions = []string{"set", "status", "remove"}

// checkToken refuses what "token" cannot do. What was typed is not repeated: it may be the
// secret itself.
func checkToken(args []string) error {
	const form = "write \"token set\", \"token status\" or \"token remove\", and a provider's name for your own key of that provider"
	if len(args) == 0 {
		return usage("%s", form)
	}
	if !slices.Contains(tokenActions, args[0]) {
		if near := spelling.Nearest(args[0], tokenActions[1:]); near != "" { // "get" is not a slip for "set"
			return usage("there is no such command; did you mean \"token %s\"?", near)
		}
		return usage("%s", form)
	}
	if len(args) > 1 && !slices.Contains(providers(), args[1]) {
		if near := providerMeant(args[1]); near != "" {
			return usage("there is no provider of that name; did you mean \"token %s %s\"?", args[0], near)
		}
		return usage("the word after \"token %s\" is not a provider: choose one of %s. A secret is never an argument; the program reads it from standard input",
			args[0], strings.Join(providers(), ", "))
	}
	if len(args) > 2 {
		return usage("%s", form)
	}
	return nil
}

// providerMeant is the provider that another name, or a mistyped one, probably stands for.
func providerMeant(typed string) string {
	if p, known := provider.Lookup(strings.ToLower(typed)); known && !p.Local {
		return p.Slug
	}
	return spelling.Nearest(typed, providers())
}

// parseFlags reads flags into values up to the first argument that is none.
func parseFlags(args []string, values map[string]string) ([]string, error) {
	fs := flag.NewFlagSet(program, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	for _, o := range options {
		set := func(v string) error { values[o.flag] = v; return nil }
		if o.value == "" {
			fs.BoolFunc(o.flag, o.help, func(v string) error {
				if _, err := strconv.ParseBool(v); err != nil {
					return errors.New("write it without a value")
				}
				return set(v)
			})
			continue
		}
		fs.Func(o.flag, o.help, set)
	}
	fs.Func("config", "", func(v string) error { values["config"] = v; return nil })
	version := fs.Bool("version", false, "")
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil, errHelp
	case err != nil:
		return nil, flagError(err, fs)
	case *version:
		return []string{cmdVersion}, nil
	}
	return fs.Args(), nil
}

// flagError says it in words, with a way out.
func flagError(err error, fs *flag.FlagSet) error {
	text := err.Error()
	if name, ok := strings.CutPrefix(text, "flag provided but not defined: -"); ok {
		return unknownFlag(name, fs)
	}
	if name, ok := strings.CutPrefix(text, "flag needs an argument: -"); ok {
		return usage("--%s needs a value", name)
	}
	if strings.HasPrefix(text, "bad flag syntax") {
		return usage("write flags as --name value")
	}
	return usage("%s", strings.ReplaceAll(text, " -", " --"))
}

// secretFlags are names under which people look for a place to type a secret.
var secretFlags = map[string]string{
	"token": secret.GatewayToken, "gateway-token": secret.GatewayToken, "gatewaytoken": secret.GatewayToken,
	"api-key": secret.GatewayToken, "apikey": secret.GatewayToken, "api-token": secret.GatewayToken, "secret": secret.GatewayToken, "password": secret.GatewayToken,
	"key": secret.LocalKey, "local-key": secret.LocalKey, "localkey": secret.LocalKey,
}

func unknownFlag(name string, fs *flag.FlagSet) error {
	switch secretFlags[strings.ReplaceAll(strings.ToLower(name), "_", "-")] {
	case secret.GatewayToken:
		return fmt.Errorf("a secret is never an argument, because other programs can read arguments; store the gateway token with \"%s token set\", or set the environment variable %s",
			program, secret.Variable(secret.GatewayToken))
	case secret.LocalKey:
		return fmt.Errorf("a secret is never an argument, because other programs can read arguments; \"%s key\" prints the local key, and the environment variable %s sets it",
			program, secret.Variable(secret.LocalKey))
	}
	var names []string
	fs.VisitAll(func(f *flag.Flag) { names = append(names, f.Name) })
	if near := spelling.Nearest(name, names); near != "" {
		return usage("there is no flag --%s; did you mean --%s?", name, near)
	}
	return usage("there is no flag --%s", name)
}

func unknownCommand(name string) error {
	if near := spelling.Nearest(name, commands); near != "" {
		return usage("there is no command %q; did you mean %q?", name, near)
	}
	return usage("there is no command %q; the commands are %s", name, strings.Join(commands, ", "))
}

func usage(format string, args ...any) error {
	return fmt.Errorf(format+"\nRun \"%s help\" for all commands and flags.", append(args, program)...)
}
